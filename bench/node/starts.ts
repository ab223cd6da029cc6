/**
 * Runs on the machine: sees every cgroup of a pod or container come, and the first write to its io.max, and prints how many
 * milliseconds lie between, a line of JSON each; from when it saw the cgroup, which is not quite when that was made. Usage: node starts.ts FOLDER (of kubepods)
 */
import { existsSync, type FSWatcher, readdirSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'

const POD = /pod[0-9a-f_-]{32,36}\.slice$/
const CONTAINER = /\.scope$/

const known = new Set<string>()
const watchers = new Map<string, FSWatcher>()

function follow(folder: string): void {
  if (watchers.has(folder)) return
  // Watched first, then listed: what comes in between is seen twice, and taken once.
  watchers.set(
    folder,
    watch(folder, (_, name) => name !== null && meet(join(folder, name))).on('error', () => forget(folder)),
  )
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) meet(join(folder, entry.name))
  }
}

function meet(path: string): void {
  const isPod = POD.test(path)
  const isContainer = CONTAINER.test(path)
  if (known.has(path) || !existsSync(path)) return
  if (!isPod && !isContainer) {
    if (path.endsWith('.slice')) {
      known.add(path)
      follow(path)
    }
    return
  }
  known.add(path)
  const created = performance.now()
  const file = join(path, 'io.max')
  if (existsSync(file)) {
    const limited = (): void => {
      if (!isLimited(file)) return
      watcher.close()
      tell({ kind: isPod ? 'pod' : 'container', path, milliseconds: performance.now() - created })
    }
    const watcher = watch(file, limited).on('error', () => watcher.close())
    // It may have been limited before this watcher was there: then so soon that there is nothing to wait for.
    limited()
  }
  if (isContainer) tell({ kind: 'container-created', path, at: created })
  else {
    tell({ kind: 'pod-created', path, at: created })
    follow(path)
  }
}

/** Not everything that is told of a file is a write. */
function isLimited(file: string): boolean {
  try {
    return readFileSync(file, 'utf8') !== ''
  } catch {
    return false
  }
}

function forget(folder: string): void {
  watchers.get(folder)?.close()
  watchers.delete(folder)
}

/** What was there before tells nothing. */
let hasBegun = false

function tell(line: object): void {
  if (hasBegun) process.stdout.write(`${JSON.stringify(line)}\n`)
}

const [root = '/sys/fs/cgroup/kubepods.slice'] = process.argv.slice(2)
follow(root)
hasBegun = true
process.on('SIGTERM', () => process.exit(0))
