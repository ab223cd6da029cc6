// Bundles each program into one file of dist/, such that it runs without node_modules; what it imports only when it is
// needed stands beside it in a folder of its name, and so do its bill of materials and the licences of what is in it. Does
// nothing where the bundles are younger than the sources, since npx runs `prepare` too, while others may be starting the
// programs.
// Usage: node scripts/build.mjs [PROGRAM...]     all of them if none is named
import { chmodSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { findPackages, formatBill, formatLicences } from './bill.mjs'
import { isBuilt } from './freshness.mjs'
import { billOf, ENTRY_POINTS, licencesOf, OLDEST_NODE, outputOf } from './programs.mjs'

// Runs before the program: an older Node gets a sentence in place of a stack trace, and the CommonJS packages
// inside the bundle (express, pino) get the `require` that ES modules lack.
const BANNER = `#!/usr/bin/env node
import { createRequire as createRequireForBundle } from 'node:module'
if (Number.parseInt(process.versions.node) < ${OLDEST_NODE}) {
  console.error(\`this program needs Node ${OLDEST_NODE} or later, and this is Node \${process.versions.node}; \` +
    'in a checkout, "npx NAME" runs it on the right one')
  process.exit(1)
}
const require = createRequireForBundle(import.meta.url)`

// An ES module that imports node:http makes Node read every export of it, and one of those loads the whole of undici: 9 MB of
// memory for nothing. `require` gives what is asked for and no more.
const REQUIRED_BUILTINS = {
  name: 'required-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'require-call' ? undefined : { path, namespace: 'required-builtins' },
    )
    onLoad({ filter: /^node:/, namespace: 'required-builtins' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }))
  },
}

// Express loads the parsers of bodies that it could offer, and no program here asks for any: a fifth of the webhook's text.
const NO_BODY_PARSER = {
  name: 'no-body-parser',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^body-parser$/ }, ({ path }) => ({ path, namespace: 'no-body-parser' }))
    onLoad({ filter: /.*/, namespace: 'no-body-parser' }, () => ({ contents: 'module.exports = {}' }))
  },
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const VERSION = JSON.parse(readFileSync('package.json', 'utf8')).version
const named = process.argv.slice(2)
const names = named.length > 0 ? named : Object.keys(ENTRY_POINTS)
const missing = names.filter((name) => !existsSync(ENTRY_POINTS[name] ?? ''))
if (missing.length > 0) {
  console.error(`build: there is no entry point of ${missing.join(', ')}; see scripts/programs.mjs`)
  process.exit(1)
}
if (!isBuilt(names)) await Promise.all(names.map(bundle))

async function bundle(name) {
  const { metafile } = await build({
    entryPoints: [{ out: name, in: ENTRY_POINTS[name] }],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    chunkNames: `${name}/[name]-[hash]`,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: `node${OLDEST_NODE}`,
    banner: { js: BANNER },
    plugins: [REQUIRED_BUILTINS, NO_BODY_PARSER],
    // V8 keeps the text for as long as the program runs: without blanks and comments it is a third less, and one character outside
    // of ASCII, as comments have, doubles it. Names stay, for stack traces, and so do lines.
    minifyWhitespace: true,
    lineLimit: 200,
    logLevel: 'warning',
  })
  // Those of an earlier version.
  for (const path of globSync(`dist/${name}/*.js`)) if (!(path in metafile.outputs)) rmSync(path)
  chmodSync(outputOf(name), 0o755)
  const packages = findPackages(metafile)
  writeFileSync(billOf(name), formatBill(name, VERSION, packages))
  writeFileSync(licencesOf(name), formatLicences(packages))
}
