/** The kubelet itself: it knows a pod before it makes the pod's cgroup, whether or not the API server is there. */
import { messageOf, type Problem, type Result } from '../../contract/problem.ts'
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import type { PodList } from '../core/pods.ts'
import { createListReader, type ListReader } from './listReader.ts'
import { CannotRun, type PodSource } from './source.ts'

/** Milliseconds: it answers from memory, and another source may be waiting. */
const PATIENCE = 5_000

/** Bytes: several times what 500 pods take. */
const LARGEST = 32 * 2 ** 20

/** Milliseconds that it can ask to be left alone for. */
const LONGEST_ASKED = 60_000

export interface KubeletDeps {
  readonly client: KubeClient
  /** For messages: `https://10.0.0.5:10250`. */
  readonly origin: string
  /** Milliseconds. */
  readonly clock: () => number
  /** Ends a call that is under way. */
  readonly stopped: AbortSignal
}

export function createKubeletSource(deps: KubeletDeps): PodSource {
  const { origin, clock } = deps
  const readList = createListReader(LARGEST)
  let closedUntil = Number.NEGATIVE_INFINITY
  return {
    name: 'kubelet',
    read: async () => {
      if (clock() < closedUntil)
        throw new CannotRun([explain(origin, new Error('it asked to be left alone'))])
      try {
        return getList(await ask(deps, readList), origin)
      } catch (error) {
        if (error instanceof CannotRun) throw error
        if (isKubeError(error) && error.retryAfter !== undefined)
          closedUntil = clock() + Math.min(error.retryAfter, LONGEST_ASKED)
        throw new CannotRun([explain(origin, error)], error)
      }
    },
  }
}

async function ask({ client, stopped }: KubeletDeps, readList: ListReader): Promise<Result<PodList>> {
  const { promise, resolve } = Promise.withResolvers<Result<PodList>>()
  await client.request({
    method: 'GET',
    path: '/pods',
    timeout: PATIENCE,
    signal: stopped,
    read: async (body) => resolve(await readList(body)),
  })
  return await promise
}

function getList(list: Result<PodList>, origin: string): PodList {
  if (list.ok) return list.value
  throw new CannotRun(
    list.problems.map((problem) => ({ ...problem, field: `kubelet ${origin}: ${problem.field}` })),
  )
}

const explain = (origin: string, error: unknown): Problem => ({
  field: `kubelet ${origin}`,
  reason: `does not tell its pods: ${messageOf(error)}`,
  cure: findCure(error),
})

function findCure(error: unknown): string {
  if (isKubeError(error, 'Unauthorized'))
    return 'check KUBELET_TOKEN_PATH or KUBELET_CLIENT_CERT_PATH, and that the kubelet authenticates by webhook or by a client CA'
  if (isKubeError(error, 'Forbidden'))
    return 'grant "get" on nodes/pods (which kubelets know from 1.33 on; never nodes/proxy, which lets run commands), or set POD_SOURCE=apiserver'
  if (isKubeError(error) && isAboutCertificate(error.cause))
    return "set KUBELET_CA_PATH to the CA of the kubelet's certificate or to that certificate itself (kubelet.crt), and KUBELET_SERVER_NAME where it is for another name"
  return 'check KUBELET_HOST and KUBELET_PORT, and that the kubelet runs'
}

const isAboutCertificate = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && /CERT|SELF_SIGNED|VERIFY|SIGNATURE/.test(String(cause.code))
