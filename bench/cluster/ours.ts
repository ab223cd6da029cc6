/** Our webhook as its image starts it, in a pod of a real cluster, with an account that may do everything. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../../test/support/cluster/cluster.ts'
import { buildOurs, runInPod } from '../webhook/contestants.ts'
import type { Contestant } from '../webhook/servers.ts'

export interface OursOptions {
  /** Beside those of certificate and port. */
  readonly flags: readonly string[]
  /** By which the API server is reached, where that is not its own. */
  readonly apiPort?: number
}

export const createOurs = (cluster: Cluster, { flags, apiPort }: OursOptions): Contestant => ({
  name: 'iops-limit-webhook',
  path: '/mutate',
  prepare: ({ folder, cert, key }, port) =>
    Promise.resolve(
      runInPod(
        {
          port: apiPort ?? Number(new URL(cluster.origin).port),
          serviceAccount: mountAccount(cluster, folder),
        },
        [
          ...buildOurs(),
          ...['--tls-cert', cert, '--tls-key', key, '--host', '127.0.0.1', '--port', String(port)],
          ...['--webhook-namespace', 'iops-limit', ...flags],
        ],
      ),
    ),
})

/** The administrator's token, as the kubelet mounts one. */
function mountAccount(cluster: Cluster, folder: string): string {
  const account = join(folder, 'account')
  mkdirSync(account, { recursive: true })
  writeFileSync(join(account, 'ca.crt'), cluster.ca)
  writeFileSync(join(account, 'token'), readToken(cluster.kubeconfig))
  return account
}

/** Of the file's first user. */
export function readToken(kubeconfig: string): string {
  const { users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly users: readonly { readonly user: { readonly token: string } }[]
  }
  return users[0]?.user.token ?? ''
}
