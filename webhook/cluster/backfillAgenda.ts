/** Which namespaces are due: new ones, those whose policy is another now, and from time to time all that have opted in. */
import { ENFORCE_LABEL } from '../../contract/keys.ts'
import type { NamespaceInfo, Namespaces, Policy } from '../policy/policy.ts'
import { findPolicy, type Rulebook } from '../policy/rulebook.ts'

export interface Due {
  readonly namespace: NamespaceInfo
  /** When its pods came under what holds now, milliseconds since 1970, so far as it was seen; 0: longer ago. */
  readonly since: number
}

export interface Assignment {
  readonly due: readonly Due[]
  /** How many namespaces there are. */
  readonly total: number
  /** All that have opted in are due. */
  readonly isFull: boolean
}

export interface Agenda {
  findDue(): Assignment
  /** It was carried out; `failed` are those in which a pod could not be mended. */
  finish(assignment: Assignment, failed: ReadonlySet<string>): void
  /** Seconds until something is due by time alone. */
  readonly idle: number
}

export interface AgendaDeps {
  readonly readRulebook: () => Rulebook
  readonly readNamespaces: () => Namespaces
  /** Seconds, from any start. */
  readonly clock: () => number
  readonly now: () => Date
  readonly random: () => number
  /** Milliseconds between passes over all that have opted in. */
  readonly interval: number
}

/** What decides about a namespace's pods: a policy, none, or one that nobody knows. */
type Regime = Policy | 'none' | 'unknown'

interface Known {
  readonly regime: Regime
  readonly since: number
  isExamined: boolean
}

/** Seconds until a namespace with a pod that could not be mended is looked at again. */
const RETRY = 30

export function createAgenda(deps: AgendaDeps): Agenda {
  const { clock, now, random, interval } = deps
  let known: ReadonlyMap<string, Known> = new Map()
  let failed = new Set<string>()
  let next = Number.NEGATIVE_INFINITY
  let retry = Number.POSITIVE_INFINITY
  return {
    findDue() {
      const rulebook = deps.readRulebook()
      const isFull = clock() >= next
      const again = clock() >= retry ? failed : new Set<string>()
      const seen = new Map<string, Known>()
      const due: Due[] = []
      for (const namespace of deps.readNamespaces().values()) {
        const { name } = namespace
        const entry = findKnown(known.get(name), findRegime(rulebook, namespace), () => now().getTime())
        seen.set(name, entry)
        const isAgain = again.has(name) || (isFull && entry.regime !== 'none')
        if (!entry.isExamined || isAgain) due.push({ namespace, since: entry.since })
      }
      known = seen
      return { due, total: seen.size, isFull }
    },
    finish({ due, isFull }, unfinished) {
      // Ten percent either way: what began together does not stay together.
      if (isFull) next = clock() + (interval / 1000) * (0.9 + 0.2 * random())
      const names = new Set(due.map(({ namespace: { name } }) => name))
      failed = new Set([...failed].filter((name) => !names.has(name)).concat([...unfinished]))
      retry = failed.size > 0 ? clock() + RETRY : Number.POSITIVE_INFINITY
      for (const name of names) {
        const entry = known.get(name)
        if (entry !== undefined) entry.isExamined = true
      }
    },
    get idle() {
      return Math.max(0, Math.min(next, retry) - clock())
    },
  }
}

function findRegime(rulebook: Rulebook, namespace: NamespaceInfo): Regime {
  const { policy, unknown } = findPolicy(rulebook, namespace, ENFORCE_LABEL)
  return policy ?? (unknown ? 'unknown' : 'none')
}

function findKnown(before: Known | undefined, regime: Regime, now: () => number): Known {
  if (before?.regime === regime) return before
  return { regime, since: before === undefined ? 0 : now(), isExamined: false }
}
