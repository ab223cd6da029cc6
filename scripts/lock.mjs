// One set-up at a time in a checkout: `npm test` and `npm run demo` may be started side by side.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Runs `work` while `path` holds our process id; waits for a living holder, steps over a dead one. */
export async function withLock(path, work) {
  mkdirSync(dirname(path), { recursive: true })
  while (!isTaken(path)) await sleep(200)
  try {
    return work()
  } finally {
    rmSync(path, { force: true })
  }
}

function isTaken(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  if (!isHeld(path)) rmSync(path, { force: true })
  return false
}

function isHeld(path) {
  try {
    return process.kill(Number(readFileSync(path, 'utf8')), 0)
  } catch (error) {
    // ESRCH: it died. ENOENT: it has just let go. EPERM: somebody else's process, but alive.
    return error.code === 'EPERM'
  }
}
