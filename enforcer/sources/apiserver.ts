/** The API server: the node's own pods and no others, listed and watched. */
import { messageOf } from '../../contract/problem.ts'
import type { Call, Connection } from '../../kube/client.ts'
import { createKubeClient } from '../../kube/client.ts'
import { followCollection } from '../../kube/follow.ts'
import { gatherPods, parsePod, type Reading } from '../core/pods.ts'
import { CannotRun, type PodSource } from './source.ts'

export interface ApiServerDeps {
  readonly connection: Connection
  readonly nodeName: string
  /** Uids, as they stand in cgroups' names, of pods that came, changed or went. */
  readonly onChanged: (uids: readonly string[]) => void
  readonly onCall: (call: Call) => void
  /** Milliseconds. */
  readonly clock: () => number
  readonly random: () => number
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly stopped: AbortSignal
}

/** Milliseconds that a first list may take. */
const PATIENCE = 5_000

/** Follows from the first {@link PodSource.read} on, until {@link PodSource.rest}. */
export function createApiServerSource(deps: ApiServerDeps): PodSource {
  let following: Following | undefined
  return {
    name: 'apiserver',
    read: async () => {
      following ??= follow(deps)
      const { state, listed, over } = following
      // Each event asks: only what nobody has heard yet is worth a timer.
      if (state.readings === undefined && state.failure === undefined)
        await Promise.race([listed, deps.sleep(PATIENCE, over.signal).catch(() => undefined)])
      const { readings, failure } = state
      if (readings !== undefined && failure === undefined) return gatherPods([...readings.values()])
      throw explain(deps.connection, failure ?? new Error(`no whole list within ${PATIENCE} ms`))
    },
    rest: () => {
      following?.over.abort()
      following = undefined
    },
  }
}

/** What is known: nothing before the first list. */
interface State {
  /** By `NAMESPACE/NAME`. */
  readings: Map<string, Reading> | undefined
  /** Of the last call or watch; undefined while all goes well. */
  failure: Error | undefined
}

interface Following {
  readonly state: State
  readonly listed: Promise<undefined>
  readonly over: AbortController
}

function follow({
  connection,
  nodeName,
  onChanged,
  onCall,
  clock,
  random,
  sleep,
  stopped,
}: ApiServerDeps): Following {
  const state: State = { readings: undefined, failure: undefined }
  const over = new AbortController()
  const { promise: listed, resolve } = Promise.withResolvers<undefined>()
  const client = createKubeClient(connection, {
    clock: () => clock() / 1000,
    onCall: (call) => {
      onCall(call)
      if (call.status >= 200 && call.status < 300) state.failure = undefined
    },
  })
  void followCollection(
    client,
    { path: '/api/v1/pods', query: { fieldSelector: `spec.nodeName=${nodeName}` }, isCached: true },
    {
      events: createEvents(state, onChanged),
      stopped: AbortSignal.any([stopped, over.signal]),
      random,
      sleep,
      observe: {
        synced: () => resolve(undefined),
        failed: (error) => {
          state.failure = error
          resolve(undefined)
        },
        restarted: () => undefined,
      },
    },
  )
  return { state, listed, over }
}

function createEvents(state: State, onChanged: ApiServerDeps['onChanged']) {
  return {
    listed: (items: readonly unknown[]): void => {
      const before = state.readings ?? new Map<string, Reading>()
      state.readings = new Map(items.map((item) => [keyOf(item), parsePod(item)]))
      onChanged([...new Set([...before.values(), ...state.readings.values()].flatMap(uidsOf))])
    },
    changed: (type: 'ADDED' | 'MODIFIED' | 'DELETED', item: unknown): void => {
      const { readings = new Map<string, Reading>() } = state
      const reading = parsePod(item)
      const before = readings.get(keyOf(item))
      if (type === 'DELETED') readings.delete(keyOf(item))
      else readings.set(keyOf(item), reading)
      onChanged([...new Set([reading, ...(before === undefined ? [] : [before])].flatMap(uidsOf))])
    },
  }
}

const uidsOf = ({ claim }: Reading): readonly string[] => (claim === undefined ? [] : [claim.pod.uid])

/** What a pod that cannot be read is called does not matter: it has no limits. */
function keyOf(item: unknown): string {
  const { metadata } = toMap(item)
  const { namespace, name } = toMap(metadata)
  return [namespace, name].map((part) => (typeof part === 'string' ? part : '')).join('/')
}

const toMap = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

const explain = ({ origin }: Connection, error: Error): CannotRun =>
  new CannotRun(
    [
      {
        field: `API server ${origin.origin}`,
        reason: `does not tell this node's pods: ${messageOf(error)}`,
        cure: 'grant "list" and "watch" on pods, and check NODE_NAME and the way to the API server',
      },
    ],
    error,
  )
