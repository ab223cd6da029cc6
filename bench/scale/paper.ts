/** From what was measured on a small cluster to what a large one will see. Pure. */
import type { Bytes } from './meter.ts'

/** What happened within one phase. */
export interface Phase {
  readonly name: string
  readonly seconds: number
  readonly enforcers: Traffic
  readonly webhook: Traffic
  /** Objects that this phase was about: nodes that began, pods that came and went, pods that were looked at or written. */
  readonly objects: number
  /** MiB of the webhook, at most. */
  readonly rss: number
  /** Milliseconds of the slowest of the reviews that were sent meanwhile. */
  readonly slowest: number
}

export interface Traffic extends Bytes {
  readonly calls: number
}

export interface Size {
  readonly nodes: number
  readonly pods: number
}

/** What one thing costs, whatever the size of the cluster. */
export interface Units {
  /** Bytes to an enforcer that begins, for each pod of its node. */
  readonly listedByEnforcer: number
  /** Bytes to the leader for each pod that it looks at, and seconds. */
  readonly examined: number
  readonly examining: number
  /** Bytes to and from the leader for each pod that it writes, the look at it left out; bytes to the pod's enforcer. */
  readonly written: number
  readonly told: number
  /** Writes a second where only the API server's own speed bounds them. */
  readonly fastest: number
}

/** The chart's. */
export interface Defaults {
  /** Writes a second. */
  readonly qps: number
  /** Seconds between full passes. */
  readonly interval: number
  readonly replicas: number
  /** Of the nodes that are updated at the same time. */
  readonly share: number
}

export interface Line {
  readonly what: string
  readonly value: number
  readonly unit: string
}

/** The phases of bench/scale.ts in their order; every one of them is needed. */
export function findUnits(phases: readonly Phase[], { pods }: Size): Units {
  const [begun, , , looked, written, hurried] = phases
  if (begun === undefined || looked === undefined || written === undefined || hurried === undefined)
    throw new TypeError(`of the phases there are only ${phases.map(({ name }) => name).join(', ')}`)
  const examined = looked.webhook.down / looked.objects
  const bytes = (written.webhook.down + written.webhook.up) / written.objects
  return {
    examined,
    listedByEnforcer: begun.enforcers.down / pods,
    examining: looked.seconds / looked.objects,
    // What is stale is found by one list, and mended by a second one.
    written: bytes - 2 * examined,
    told: written.enforcers.down / written.objects,
    fastest: hurried.objects / hurried.seconds,
  }
}

/** A watch is asked for anew after 300 to 600 seconds by chance (kube/follow.ts). */
const WATCH_SECONDS = 450
/** Of a replica, by its retry period (kube/lease.ts): the leader renews, the others look. */
const LEASE_SECONDS = 2
/** Namespaces and policies. */
const WATCHES_OF_REPLICA = 2

export function extrapolate(
  { nodes, pods }: Size,
  units: Units,
  { qps, interval, replicas, share }: Defaults,
): readonly Line[] {
  const rate = Math.min(qps, units.fastest)
  const pass = pods * units.examining
  return [
    {
      what: "watches, where the enforcers' source is the API server",
      value: nodes + replicas * WATCHES_OF_REPLICA,
      unit: '',
    },
    { what: 'of them reopened', value: nodes / WATCH_SECONDS, unit: 'a second' },
    { what: 'calls of the replicas for the Lease', value: replicas / LEASE_SECONDS, unit: 'a second' },
    {
      what: 'lists of a rolling update that replaces its share of the nodes at once',
      value: (pods * share * units.listedByEnforcer) / MB,
      unit: 'MB',
    },
    { what: 'a full pass of the back-fill', value: pass, unit: 's' },
    { what: 'lists of that pass', value: (pods * units.examined) / MB, unit: 'MB' },
    {
      what: 'lists of full passes, by and large',
      value: (pods * units.examined) / MB / interval,
      unit: 'MB/s',
    },
    {
      what: "the leader's processor, busy with full passes, at most",
      value: (pass / interval) * 100,
      unit: '% of a core',
    },
    {
      what: "all pods rewritten after a change of their policy, at the chart's pace",
      value: pods / rate / 60,
      unit: 'min',
    },
    { what: 'bytes of the leader meanwhile', value: (rate * units.written) / MB, unit: 'MB/s' },
    { what: 'bytes to all enforcers meanwhile', value: (rate * units.told) / MB, unit: 'MB/s' },
    {
      what: 'all pods rewritten, as fast as the API server of the simulation',
      value: pods / units.fastest / 60,
      unit: 'min',
    },
  ]
}

const MB = 1e6
