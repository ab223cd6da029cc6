/** Which sources there are, by the settings. */
import { bad, ok, type Result } from '../../contract/problem.ts'
import { type Call, createKubeClient } from '../../kube/client.ts'
import { findServiceAccount } from '../../kube/serviceAccount.ts'
import type { EnforcerSettings } from '../settings.ts'
import { type ApiServerDeps, createApiServerSource } from './apiserver.ts'
import { createFileSource } from './file.ts'
import { createKubeletSource } from './kubelet.ts'
import { findKubelet } from './kubeletConnection.ts'
import type { PodSource, SourceName } from './source.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface SourceDeps extends Omit<ApiServerDeps, 'connection' | 'nodeName' | 'onCall'> {
  readonly onCall: (target: SourceName, call: Call) => void
}

/** At least one; the order is that in which they are asked. */
export function createSources(
  settings: EnforcerSettings,
  env: Environment,
  deps: SourceDeps,
): Result<readonly PodSource[]> {
  const { podsFile, podSource } = settings
  if (podsFile !== undefined) return ok([createFileSource(podsFile)])
  const kubelet = createKubelet(settings, env, deps)
  if (podSource === 'kubelet') return ok([kubelet])
  const apiServer = createApiServer(settings, env, deps)
  if (podSource === 'apiserver') return apiServer.ok ? ok([apiServer.value]) : apiServer
  return ok([kubelet, ...(apiServer.ok ? [apiServer.value] : [])])
}

function createKubelet(
  settings: EnforcerSettings,
  env: Environment,
  { onCall, clock, stopped }: SourceDeps,
): PodSource {
  const connection = findKubelet(settings, env)
  const client = createKubeClient(connection, {
    clock: () => clock() / 1000,
    onCall: (call) => onCall('kubelet', call),
  })
  return createKubeletSource({ client, origin: connection.origin.origin, clock, stopped })
}

function createApiServer(
  { nodeName, serviceAccount }: EnforcerSettings,
  env: Environment,
  deps: SourceDeps,
): Result<PodSource> {
  const connection = findServiceAccount(env, serviceAccount)
  if (nodeName === undefined)
    return bad({
      field: 'NODE_NAME',
      reason: 'is not set, so the API server cannot be asked for the pods of this node',
      cure: 'set it from spec.nodeName by the downward API',
    })
  if (connection === undefined)
    return bad({
      field: 'POD_SOURCE apiserver',
      reason: 'finds no API server: KUBERNETES_SERVICE_HOST is not set',
      cure: 'run in a pod with a service account, or set POD_SOURCE=kubelet',
    })
  return ok(
    createApiServerSource({
      ...deps,
      connection,
      nodeName,
      onCall: (call) => deps.onCall('apiserver', call),
    }),
  )
}
