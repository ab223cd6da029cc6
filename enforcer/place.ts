/** Where limits are written: the cgroup tree and the disks, as they are now. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { bad, messageOf, ok, type Problem, type Result } from '../contract/problem.ts'
import type { Rules } from './core/targets.ts'
import { type Disks, readDisks } from './node/disks.ts'
import { type CgroupTree, detectCgroups } from './node/version.ts'
import { type EnforcerSettings, mountsOf } from './settings.ts'

export interface Place {
  readonly tree: CgroupTree
  readonly rules: Rules
  /** `MAJOR:MINOR` of whole disks, by mount. */
  readonly mounts: ReadonlyMap<string, readonly string[]>
  /** The same, each once. */
  readonly devices: readonly string[]
  /** Numbers that disks had before, in this run: their lines are ours to take away. */
  readonly former: readonly string[]
  /** Of mounts without a disk, while others have one. */
  readonly problems: readonly Problem[]
  /** Of mounts that may be others than were meant. */
  readonly notices: readonly string[]
}

/**
 * `before`: what the last look found. A mount that has gone leaves its disk behind, since pods may still have it open; a disk
 * that came back under another number leaves the old one to be cleaned.
 */
export async function readPlace(
  settings: EnforcerSettings,
  isLive: boolean,
  before?: Pick<Place, 'mounts' | 'former'>,
): Promise<Result<Place>> {
  const cgroups = await detectCgroups(path.resolve(settings.cgroupRoot), settings.cgroupVersion)
  const { disks, problems, notices } = await readWanted(settings)
  const mounts = new Map(
    [...(before?.mounts ?? [])].filter(([, devices]) => devices.every(isThere(settings))),
  )
  for (const [mount, found] of Map.groupBy(disks, (disk) => disk.mount))
    mounts.set(
      mount,
      found.map(({ device }) => device),
    )
  const devices = [...new Set([...mounts.values()].flat())]
  if (!cgroups.ok || devices.length === 0) return bad(...(cgroups.ok ? [] : cgroups.problems), ...problems)
  const known = [...(before?.former ?? []), ...[...(before?.mounts.values() ?? [])].flat()]
  return ok({
    tree: cgroups.value,
    rules: { version: cgroups.value.version, requireMark: settings.requireMark, isLive },
    mounts,
    devices,
    former: [...new Set(known)].filter((device) => !devices.includes(device)),
    problems,
    notices,
  })
}

const isThere =
  ({ sysRoot }: EnforcerSettings) =>
  (device: string): boolean =>
    existsSync(path.join(sysRoot, 'dev/block', device))

async function readWanted(settings: EnforcerSettings): Promise<Disks> {
  try {
    return await readDisks(
      { mounts: mountsOf(settings), devices: settings.devices },
      { proc: settings.procRoot, sys: settings.sysRoot },
    )
  } catch (error) {
    return {
      disks: [],
      problems: [
        {
          field: `PROC_ROOT ${settings.procRoot}`,
          reason: `gives no mountinfo: ${messageOf(error)}`,
          cure: 'mount proc there, or set PROC_ROOT',
        },
      ],
      notices: [],
    }
  }
}
