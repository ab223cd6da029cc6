// Installs what is missing and nothing else, so that `npm test` and `npm run demo` work in a fresh clone.
// Runs on whatever Node the machine has (18 or later), hence plain JavaScript without dependencies.
// Usage: node scripts/setup.mjs
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isBuilt } from './freshness.mjs'
import { withLock } from './lock.mjs'
import { OLDEST_NODE } from './programs.mjs'

const NODE = 'node_modules/.bin/node'
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error']
/** What `engines` of the packages of package-lock.json ask for. */
const OLDEST_FOR_NPM = [20, 19]

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
    installPackages()
  }
  if (!runsNode()) repairNode()
  if (!isBuilt()) run(NODE, ['scripts/build.mjs'])
}

/**
 * npm leaves out optional packages whose `engines` exclude the Node that npm itself runs on, and the test runner's native
 * half is one of them. So where that Node is too old (Debian 12 has 18), npm and Node are first fetched to be run once.
 */
function installPackages() {
  if (isAtLeast(process.versions.node, OLDEST_FOR_NPM)) return run('npm', ['ci', ...QUIET])
  const folder = mkdtempSync(join(tmpdir(), 'iops-limit-setup-'))
  try {
    const { version } = readPackages('package-lock.json')['node_modules/node']
    run('npm', ['install', '--prefix', folder, `node@${version}`, 'npm@11', ...QUIET])
    run('npm', ['ci', ...QUIET], { path: join(folder, 'node_modules/.bin') })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function isAtLeast(version, [major, minor]) {
  const [ownMajor, ownMinor] = version.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
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

/** Silent where it goes well; where it fails, everything that the command said. `path` is looked in first. */
function run(command, args, { mayFail = false, path } = {}) {
  const PATH = [path, process.env.PATH].filter(Boolean).join(':')
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH },
    maxBuffer: 2 ** 26,
  })
  if (status === 0 || mayFail) return
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`)
  throw new SetupError(`"${[command, ...args].join(' ')}" failed${error ? `: ${error.message}` : ''}`)
}
