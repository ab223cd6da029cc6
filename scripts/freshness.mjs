// Whether dist/ is what the sources say now.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ENTRY_POINTS, outputOf } from './programs.mjs'

const SOURCES = [
  'certs',
  'contract',
  'enforcer',
  'kube',
  'settings',
  'webhook',
  'package-lock.json',
  'scripts/build.mjs',
  'scripts/programs.mjs',
]

/** True where every named program is younger than every source file and folder (a deleted file makes its folder younger). */
export function isBuilt(names = Object.keys(ENTRY_POINTS)) {
  const oldestOutput = Math.min(...names.map((name) => changedAt(outputOf(name))))
  return SOURCES.every((path) => newestIn(path) <= oldestOutput)
}

/** Milliseconds; 0 where there is no such file. */
function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function newestIn(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestIn(join(path, name))))
}
