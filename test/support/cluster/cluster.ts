/**
 * A real control plane for tests: etcd and kube-apiserver as processes of this machine, and no node. Pods are admitted
 * and stored, and never run. The binaries: {@link findBinary}.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createKubeClient, type KubeClient } from '../../../kube/client.ts'
import { findBinary } from './binaries.ts'
import { type Daemon, findFreePort, runToEnd, startDaemon, type Text } from './daemon.ts'
import { formatKubeconfig, type Material, serverFlags, writeMaterial } from './material.ts'

export interface Cluster extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string
  /** PEM: who signed the API server's certificate. */
  readonly ca: string
  /** A file for kubectl and for our own programs: the administrator (system:masters). */
  readonly kubeconfig: string
  /** The administrator. */
  readonly client: KubeClient
  /** Another user, by impersonation. */
  clientAs(user: string): KubeClient
  /** Runs kubectl as the administrator, to its end whatever its exit code. */
  kubectl(args: readonly string[], stdin?: string): Promise<Text>
  /** Creates or changes objects (`kubectl apply --server-side`); throws where one is refused. */
  apply(...objects: readonly object[]): Promise<void>
  /** What the API server answers to a GET of the administrator, as text: `/metrics`, `/readyz`. */
  readText(path: string): Promise<string>
  stopApiServer(): Promise<void>
  /** Ready again when this resolves: same port, same data. */
  startApiServer(): Promise<void>
  /** `http://127.0.0.1:PORT`. */
  readonly etcd: string
}

export interface ClusterOptions {
  /** Further flags of kube-apiserver. */
  readonly flags?: readonly string[]
}

export async function startCluster({ flags = [] }: ClusterOptions = {}): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'iops-limit-cluster-'))
  const material = await writeMaterial(folder)
  const etcd = await startEtcd(folder)
  const port = await findFreePort()
  const origin = `https://127.0.0.1:${port}`
  const readText = (path: string): Promise<string> => readAnswer(new URL(path, origin), material)
  const startServer = async (): Promise<Daemon> => {
    const all = [...serverFlags(folder, port, etcd.url), ...flags]
    const server = startDaemon(findBinary('kube-apiserver'), all)
    await server.until(async () => (await readText('/readyz')) === 'ok')
    return server
  }
  let server = await startServer()
  return {
    ...(await createAccess(folder, origin, material)),
    origin,
    ca: material.ca,
    etcd: etcd.url,
    readText,
    stopApiServer: () => server.stop(),
    async startApiServer() {
      server = await startServer()
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      await etcd.daemon.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startEtcd(folder: string): Promise<{ readonly daemon: Daemon; readonly url: string }> {
  const url = `http://127.0.0.1:${await findFreePort()}`
  const peer = `http://127.0.0.1:${await findFreePort()}`
  const daemon = startDaemon(findBinary('etcd'), [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ])
  await daemon.until(async () => (await fetch(`${url}/health`)).ok)
  return { daemon, url }
}

/** Throws where the answer is not a 2xx. */
async function readAnswer(url: URL, { ca, token }: Material): Promise<string> {
  return await new Promise((resolve, reject) => {
    const sent = request(url, { ca, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      text(answer).then((body) => {
        if (answer.statusCode === 200) resolve(body)
        else reject(new Error(`${url.pathname}: HTTP ${answer.statusCode}: ${body}`))
      }, reject)
    })
    sent.on('error', reject).end()
  })
}

type Access = Pick<Cluster, 'kubeconfig' | 'client' | 'clientAs' | 'kubectl' | 'apply'>

async function createAccess(folder: string, origin: string, material: Material): Promise<Access> {
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, formatKubeconfig(origin, material), { mode: 0o600 })
  const kubectl: Cluster['kubectl'] = (args, stdin) =>
    runToEnd(findBinary('kubectl'), ['--kubeconfig', kubeconfig, ...args], stdin)
  return {
    kubeconfig,
    kubectl,
    client: createClient(origin, material),
    clientAs: (user) => createClient(origin, material, { 'impersonate-user': user }),
    async apply(...objects) {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
      const { code, stderr } = await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], list)
      if (code !== 0) throw new Error(stderr)
    },
  }
}

function createClient(
  origin: string,
  { ca, token }: Material,
  headers: Readonly<Record<string, string>> = {},
): KubeClient {
  const options = { ca, headers: { authorization: `Bearer ${token}`, ...headers } }
  return createKubeClient(
    { origin: new URL(origin), readOptions: () => Promise.resolve(options) },
    { clock: () => performance.now() / 1000 },
  )
}
