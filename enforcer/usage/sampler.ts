/** Usage of every cgroup on every disk, sampled now and then: what each moves a second, by whom, and why not by another. */
import { messageOf } from '../../contract/problem.ts'
import { type CadvisorBook, findGroupKey } from '../core/cadvisor.ts'
import { followUsage, type Rates, type Track, type UsageSource } from '../core/rates.ts'
import type { Pressure, Usage } from '../core/usage.ts'
import { type Ask, findUsage } from '../core/usageChoice.ts'
import type { KubeletStats, Summary } from './kubeletStats.ts'

/** One cgroup that is looked at. */
export interface UsageGroup {
  readonly path: string
  /** Of its pod, as in the cgroup's name. */
  readonly uid: string
  /** Null: the pod's own. */
  readonly container: string | null
}

export interface GroupUsage {
  /** Undefined where no source counts it. */
  readonly source: UsageSource | undefined
  readonly rates?: Rates
  /** Why there are no rates. */
  readonly gap?: string
  /** Sources that come first and do not count it, and why. */
  readonly passedOver: readonly string[]
  /** By the kubelet's summary, where it has it. */
  readonly pressure?: Pressure
  /** Milliseconds, by the steady clock: when it was sampled. */
  readonly clock: number
}

export interface Sampler {
  /** Never rejects. Groups that are left out are forgotten. */
  readonly sample: (groups: readonly UsageGroup[], devices: readonly string[]) => Promise<void>
  readonly find: (path: string, device: string) => GroupUsage | undefined
  /** Cgroups times disks that this source counted at the last sample; undefined: that none did. */
  readonly count: (source: UsageSource | undefined) => number
  /** Why the kubelet's answers could not be had at the last sample: one sentence each. */
  readonly failures: readonly string[]
}

export interface SamplerDeps {
  /** Undefined: it is not to be asked (`SMART_LIMIT_USE_KUBELET_API=false`). */
  readonly kubelet: KubeletStats | undefined
  /** Of the cgroup's own files; a text is why they tell nothing. */
  readonly readCgroup: (path: string, device: string) => Usage | string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds from any start, never set back. */
  readonly clock: () => number
}

interface Entry {
  readonly track: Track | undefined
  readonly usage: GroupUsage
}

export function createSampler(deps: SamplerDeps): Sampler {
  let entries: ReadonlyMap<string, Entry> = new Map()
  let failures: readonly string[] = []
  return {
    sample: async (groups, devices) => {
      const heard = await hear(deps.kubelet)
      failures = heard.failures
      const known = entries
      entries = new Map(
        groups.flatMap((group) =>
          devices.map((device) => {
            const key = keyOf(group.path, device)
            return [key, look({ ...deps, ...heard }, { group, device }, known.get(key)?.track)] as const
          }),
        ),
      )
    },
    count: (source) => [...entries.values()].filter(({ usage }) => usage.source === source).length,
    find: (path, device) => entries.get(keyOf(path, device))?.usage,
    get failures() {
      return failures
    },
  }
}

const keyOf = (path: string, device: string): string => `${device} ${path}`

/** What the kubelet said this time; a text is why it did not. */
interface Heard {
  readonly summary: Summary | string
  readonly cadvisor: CadvisorBook | string
  readonly failures: readonly string[]
}

const NOT_ASKED = 'it is not asked, since SMART_LIMIT_USE_KUBELET_API is false'

async function hear(kubelet: KubeletStats | undefined): Promise<Heard> {
  if (kubelet === undefined) return { summary: NOT_ASKED, cadvisor: NOT_ASKED, failures: [] }
  const [summary, cadvisor] = await Promise.all([
    kubelet.readSummary().catch(messageOf),
    kubelet.readCadvisor().then(({ book }) => book, messageOf),
  ])
  return { summary, cadvisor, failures: [summary, cadvisor].filter((one) => typeof one === 'string') }
}

interface Spot {
  readonly group: UsageGroup
  readonly device: string
}

function look(scene: SamplerDeps & Heard, { group, device }: Spot, before: Track | undefined): Entry {
  const { summary, now, clock, readCgroup } = scene
  const pressure = typeof summary === 'string' ? undefined : findPressure(summary, group)
  const ofFiles: Ask = () => {
    const usage = readCgroup(group.path, device)
    return typeof usage === 'string' ? { reason: usage } : { usage }
  }
  const { chosen, passedOver } = findUsage([
    ['summary', () => ({ reason: typeof summary === 'string' ? summary : NO_COUNTS })],
    ['cadvisor', () => offerCadvisor(scene.cadvisor, group.path, device)],
    ['cgroup', ofFiles],
  ])
  const common = { passedOver, clock: clock(), ...(pressure && { pressure }) }
  if (chosen === undefined) return { track: undefined, usage: { ...common, source: undefined, gap: NOBODY } }
  const track = followUsage(before, { ...chosen, now: now(), clock: common.clock })
  const { rates, gap } = track
  return {
    track,
    usage: {
      ...{ ...common, source: chosen.source },
      ...(rates && { rates }),
      ...(gap !== undefined && { gap }),
    },
  }
}

/** Kubernetes 1.35: IOStats holds `time` and `psi`. */
const NO_COUNTS = 'it counts neither operations nor bytes'
const NOBODY = 'nobody counts it'

function offerCadvisor(cadvisor: CadvisorBook | string, path: string, device: string): ReturnType<Ask> {
  if (typeof cadvisor === 'string') return { reason: cadvisor }
  const counted = cadvisor.find(findGroupKey(path) ?? '', device)
  if (counted === undefined) return { reason: `it does not count this cgroup on disk ${device}` }
  // Its readings are up to 15 s old, by an age that changes: without their time no rate can be told.
  if (counted.at === undefined) return { reason: 'it does not tell when it counted' }
  return { usage: counted.usage, at: counted.at }
}

function findPressure({ pods }: Summary, { uid, container }: UsageGroup): Pressure | undefined {
  const pod = pods.get(uid)
  return container === null ? pod?.pressure : pod?.containers.get(container)?.pressure
}
