// Bundles each program into one file of dist/, such that it runs without node_modules; does nothing where the bundles
// are younger than the sources, since npx runs `prepare` too, while others may be starting the programs.
// Usage: node scripts/build.mjs [PROGRAM...]     all of them if none is named
import { chmodSync, existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { isBuilt } from './freshness.mjs'
import { ENTRY_POINTS, OLDEST_NODE, outputOf } from './programs.mjs'

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

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const named = process.argv.slice(2)
const names = named.length > 0 ? named : Object.keys(ENTRY_POINTS)
const missing = names.filter((name) => !existsSync(ENTRY_POINTS[name] ?? ''))
if (missing.length > 0) {
  console.error(`build: there is no entry point of ${missing.join(', ')}; see scripts/programs.mjs`)
  process.exit(1)
}
if (!isBuilt(names)) {
  await build({
    entryPoints: names.map((name) => ({ out: name, in: ENTRY_POINTS[name] })),
    outdir: 'dist',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: `node${OLDEST_NODE}`,
    banner: { js: BANNER },
    logLevel: 'warning',
  })
  for (const name of names) chmodSync(outputOf(name), 0o755)
}
