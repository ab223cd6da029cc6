/**
 * The connection of a pod to its own API server.
 * Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection } from './client.ts'

type Environment = Readonly<Record<string, string | undefined>>

const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Undefined outside a cluster. Token and CA are read anew at each call: the kubelet rotates both. */
export function findServiceAccount(env: Environment, mount = MOUNT): Connection | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env
  if (host === undefined || host === '') return undefined
  return {
    origin: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    readOptions: async () => {
      const [ca, token] = await Promise.all(
        ['ca.crt', 'token'].map((file) => readFile(join(mount, file), 'utf8')),
      )
      return { ...(ca && { ca }), headers: { authorization: `Bearer ${token?.trim() ?? ''}` } }
    },
  }
}
