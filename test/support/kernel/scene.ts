/** A node with the cgroup of one pod, and a kubelet and an API server that tell of it: enforcers start there. */
import { readFileSync } from 'node:fs'
import { createStandInNode, type GrowingNode } from './recordedNode.ts'
import { type RunningEnforcer, type RunOptions, startEnforcer } from './runEnforcer.ts'
import {
  type ApiStandIn,
  createApiStandIn,
  json,
  type StandIn,
  standInEnv,
  startStandIn,
} from './standIns.ts'

export interface Scene extends AsyncDisposable {
  readonly node: GrowingNode
  /** Tells of a limit of 100. */
  readonly kubelet: StandIn
  /** Answers as {@link Scene.pods} does. */
  readonly api: StandIn
  /** Tells of a limit of 500. */
  readonly pods: ApiStandIn
  /** The pod's io.max. */
  readonly file: string
  /** The reads a second that the pod has, as they stand in its io.max. */
  readonly held: () => string
  /** Until the scene ends. */
  readonly keep: <T extends AsyncDisposable>(thing: T) => T
  /** On this node, with these stand-ins; until the scene ends. */
  readonly start: (env?: Readonly<Record<string, string>>, options?: StartOptions) => RunningEnforcer
}

export interface StartOptions extends Omit<RunOptions, 'env'> {
  /** Between two passes. */
  readonly interval?: string
}

const UID = '0a1b2c3d-1111-4222-8333-444455556666'

/** The pod of the scene, or another one; with no limit, where it is undefined. */
export const podOf = (limit: string | undefined, given: { name?: string; uid?: string } = {}) => ({
  metadata: {
    ...{ namespace: 'team', name: 'db', uid: UID, ...given },
    annotations: { 'iops-limit/policy': 'gold/x', ...(limit !== undefined && { 'iops-limit/limit': limit }) },
  },
  spec: { containers: [{ name: 'pg' }] },
  status: { phase: 'Running' },
})

/** What a kubelet answers of the pod. */
export const listOf = (limit: string) => ({ kind: 'PodList', items: [podOf(limit)] })

export async function createScene(): Promise<Scene> {
  const node = createStandInNode()
  node.addV2(`kubepods/pod${UID}`)
  const file = node.cgroup(`kubepods/pod${UID}/io.max`)
  const pods = createApiStandIn(podOf('500'))
  const kept = new AsyncDisposableStack()
  kept.defer(() => node.dispose())
  const keep: Scene['keep'] = (thing) => kept.use(thing)
  const kubelet = keep(await startStandIn(json(listOf('100'))))
  const api = keep(await startStandIn((request, response) => pods.answer(request, response)))
  return {
    ...{ node, kubelet, api, pods, file, keep },
    held: () => /riops=(\w+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '',
    start: (env = {}, { interval = '100ms', ...options } = {}) =>
      keep(
        startEnforcer(['--check-interval', interval], {
          env: { ...node.env, ...standInEnv(kubelet, api), ...env },
          ...options,
        }),
      ),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Everything that the enforcer has given as a reason so far. */
export const reasonsOf = ({ log }: RunningEnforcer): readonly string[] =>
  log.flatMap(({ because }) => (Array.isArray(because) ? (because as string[]) : []))
