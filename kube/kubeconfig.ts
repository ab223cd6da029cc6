/** The connection that a kubeconfig describes, exec plugins and client certificates included. */
import type { OutgoingHttpHeaders } from 'node:http'
import { KubeConfig } from '@kubernetes/client-node'
import type { CallOptions, Connection } from './client.ts'

/**
 * `file` undefined: as kubectl finds it (KUBECONFIG, then ~/.kube/config). Throws where there is none, or no current context:
 * nothing is assumed, localhost least of all.
 */
export function openKubeconfig(file: string | undefined, context?: string): Connection {
  const config = new KubeConfig()
  if (file === undefined) config.loadFromDefault()
  else config.loadFromFile(file)
  if (context !== undefined) config.setCurrentContext(context)
  const cluster = config.getCurrentCluster()
  // loadFromDefault() falls back to http://localhost:8080.
  if (cluster === null || !cluster.server.startsWith('https:'))
    throw new Error(`${file ?? 'the default kubeconfig'} names no current cluster with an https:// server`)
  return {
    origin: new URL(cluster.server),
    readOptions: async () => {
      const options: CallOptions & { headers: OutgoingHttpHeaders } = { headers: {} }
      await config.applyToHTTPSOptions(options)
      const { agent, ...rest } = options
      // Theirs knows the way through a proxy; ours keeps connections.
      return cluster.proxyUrl === undefined || agent === undefined ? rest : { ...rest, agent }
    },
  }
}
