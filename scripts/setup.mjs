// Installs what is missing and nothing else, so that `npm test` and `npm run demo` work in a fresh clone.
// Runs on whatever Node the machine has (18 or later), hence plain JavaScript without dependencies.
// Usage: node scripts/setup.mjs
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isBuilt } from './freshness.mjs'
import { withLock } from './lock.mjs'
import { OLDEST_NODE } from './programs.mjs'

const NODE = 'node_modules/.bin/node'

class SetupError extends Error {}

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
try {
  if (!isComplete()) await withLock('dist/.setup.lock', install)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(`setup: ${error.message}`)
  process.exitCode = 1
}

function isComplete() {
  return isInstalled() && runsNode() && isBuilt()
}

/** Each step looks again: another set-up may have done it while this one waited for the lock. */
function install() {
  if (!isInstalled()) {
    console.error('setup: installing the packages of package-lock.json (once, about half a minute)...')
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  }
  if (!runsNode()) repairNode()
  if (!isBuilt()) run(NODE, ['scripts/build.mjs'])
}

/** True where node_modules holds the very versions of package-lock.json; npm notes them when it has finished. */
function isInstalled() {
  const wanted = readPackages('package-lock.json')
  const found = readPackages('node_modules/.package-lock.json')
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const installed = found[path]
    if (path === '') return true
    // Optional packages are those of other platforms.
    if (installed === undefined) return optional === true
    return installed.version === version && installed.integrity === integrity
  })
}

function readPackages(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, 'utf8')).packages : {}
}

/** The npm package `node` fetches its binary in an install script, which some configurations forbid. */
function runsNode() {
  const { status, stdout } = spawnSync(NODE, ['--version'], { encoding: 'utf8' })
  return status === 0 && isNewEnough(stdout)
}

function repairNode() {
  run('npm', ['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error'], { mayFail: true })
  if (runsNode()) return
  if (!isNewEnough(process.version)) {
    throw new SetupError(
      `the npm package "node" did not install its binary here, and this machine's own Node is ${process.version}; ` +
        `install Node ${OLDEST_NODE} or later (https://nodejs.org), then run this again with it`,
    )
  }
  rmSync(NODE, { force: true })
  symlinkSync(process.execPath, NODE)
}

function isNewEnough(version) {
  return Number(/^v(\d+)\./.exec(version)?.[1]) >= OLDEST_NODE
}

/** Silent where it goes well; where it fails, everything that the command said. */
function run(command, args, { mayFail = false } = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (status === 0 || mayFail) return
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`)
  throw new SetupError(`"${[command, ...args].join(' ')}" failed${error ? `: ${error.message}` : ''}`)
}
