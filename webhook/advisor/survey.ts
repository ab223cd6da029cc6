/** Asks the nodes of the watched pods what these pods did. */
import type { KubeClient } from '../../kube/client.ts'
import { createPace } from '../cluster/pace.ts'
import type { AskNode, NodeAnswer, Wanted } from './ask.ts'
import { findEnforcers } from './enforcers.ts'
import { inTurns } from './inTurns.ts'
import type { UsageRow } from './page.ts'
import type { NodePod } from './pods.ts'

export interface SurveyDeps {
  readonly client: KubeClient
  readonly ask: AskNode
  /** Seconds, from any start. */
  readonly clock: () => number
  /** Ends early once the signal aborts, in whichever way. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly signal: AbortSignal
  readonly observe: SurveyObserver
  readonly settings: SurveySettings
}

export interface SurveySettings {
  /** Where the enforcers are. */
  readonly namespace: string
  /** Label selector of their pods. */
  readonly selector: string
  /** Milliseconds from turn to turn. */
  readonly interval: number
}

export interface SurveyObserver {
  /** `absent`: no enforcer runs on the node. */
  readonly asked: (node: string, answer: NodeAnswer | { readonly outcome: 'absent' }) => void
  readonly failed: (error: unknown) => void
}

/** By uid of the pod. */
export type Rows = ReadonlyMap<string, readonly UsageRow[]>

/** Nodes under way at the same time. */
const AT_ONCE = 32
/** Nodes a second that nobody has to wait for. */
const FREE_PACE = 20

/**
 * Rejects only where it was ended: a node that does not tell stops no other. Each is believed about those pods alone that the API
 * server says are on it: whoever has taken one over can have no other's pods limited.
 */
export async function surveyNodes(pods: readonly NodePod[], deps: SurveyDeps): Promise<Rows> {
  const { clock, sleep, observe, settings, signal } = deps
  const nodes = Map.groupBy(pods, ({ node }) => node)
  const enforcers = await findAll(new Set(nodes.keys()), deps)
  const rows = new Map<string, UsageRow[]>()
  if (enforcers === undefined) return rows
  // Over half of the turn: neither the answers nor the reading of them come all at once.
  const qps = Math.max(FREE_PACE, (2000 * nodes.size) / settings.interval)
  const pace = createPace({ qps, clock, sleep })
  await inTurns(nodes, AT_ONCE, async ([node, those]) => {
    const address = enforcers.get(node)
    if (address === undefined) return observe.asked(node, { outcome: 'absent' })
    await pace.wait(signal)
    const answer = await deps.ask(address, findWanted(those), signal)
    signal.throwIfAborted()
    observe.asked(node, answer)
    if (answer.outcome !== 'answered') return
    const own = Map.groupBy(answer.rows, ({ uid }) => uid)
    for (const { uid } of those) rows.set(uid, own.get(uid) ?? [])
  })
  return rows
}

async function findAll(
  nodes: ReadonlySet<string>,
  { client, settings, signal, observe }: SurveyDeps,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    return await findEnforcers(client, nodes, { ...settings, signal })
  } catch (error) {
    signal.throwIfAborted()
    observe.failed(error)
    return undefined
  }
}

function findWanted(pods: readonly NodePod[]): Wanted {
  const [namespace, ...others] = new Set(pods.map((pod) => pod.namespace))
  const isOnly = namespace !== undefined && others.length === 0
  return { uids: new Set(pods.map(({ uid }) => uid)), ...(isOnly && { namespace }) }
}
