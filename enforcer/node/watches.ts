/**
 * Directories that are watched for entries that come and go (inotify: one instance for all). An aid to be early, nothing
 * more: events can be lost without a word (overflow), and a host can refuse to watch at all.
 * Source: inotify(7); libuv src/unix/linux.c drops IN_Q_OVERFLOW.
 */
import { type FSWatcher, watch } from 'node:fs'
import { isGone } from './files.ts'

export interface Watches {
  /** Watches these too; true where one was not watched before: what is in it has to be listed then, after this. */
  readonly add: (folders: Iterable<string>) => boolean
  /** Forgets it, and thereby that it was watched: for a directory that went, and may come back under the same name. */
  readonly drop: (folder: string) => void
  /** Forgets all but these. */
  readonly retain: (folders: ReadonlySet<string>) => void
  readonly size: number
}

export interface WatchDeps {
  /** Something by this name has come into the folder or gone from it. */
  readonly onEntry: (folder: string, name: string) => void
  /** A folder that is there cannot be watched: at the limit of instances or watches, above all. */
  readonly onRefused: (folder: string, error: unknown) => void
  readonly watch?: typeof watch
}

export function createWatches({ onEntry, onRefused, watch: open = watch }: WatchDeps): Watches {
  const watchers = new Map<string, FSWatcher>()
  const drop = (folder: string): void => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }
  const refuse = (folder: string, error: unknown): void => {
    drop(folder)
    if (!isGone(error)) onRefused(folder, error)
  }
  const start = (folder: string): boolean => {
    if (watchers.has(folder)) return false
    try {
      const watcher = open(folder, { persistent: false }, (kind, name) => {
        if (kind === 'rename' && name !== null) onEntry(folder, name)
      })
      watcher.on('error', (error) => refuse(folder, error))
      watchers.set(folder, watcher)
      return true
    } catch (error) {
      refuse(folder, error)
      return false
    }
  }
  return {
    add: (folders) => [...folders].map(start).includes(true),
    drop,
    retain: (folders) => {
      for (const folder of watchers.keys()) if (!folders.has(folder)) drop(folder)
    },
    get size() {
      return watchers.size
    },
  }
}
