/** Who is measured, ours first, the floor second: the table's ratios go by it. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readEnv, readFlags } from '../image.ts'
import { type Cluster, serveCluster } from './cluster.ts'
import type { Inputs } from './inputs.ts'
import type { Command, Contestant } from './servers.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HERE = fileURLToPath(new URL('.', import.meta.url))

/** What the rivals are made of stays outside of the tree. */
const CACHE =
  process.env['IOPS_LIMIT_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'iops-limit')

const PATH = '/mutate?timeout=10s'

/** As its image starts it, in a cluster. */
export const OURS: Contestant = {
  name: 'iops-limit-webhook',
  path: PATH,
  prepare: (inputs, port) => startInPod(inputs, [...buildOurs(), ...flagsOf(inputs, port)]),
}

const BUNDLE = join(ROOT, 'dist/iops-limit-webhook.js')

/** Built anew; the command of its image. */
export function buildOurs(): readonly string[] {
  run(ROOT, 'npm', 'run', '--silent', 'prepare')
  return [process.execPath, ...readFlags('Dockerfile.webhook'), BUNDLE]
}

/** The stand-in of a cluster knows no Leases, so there is no back-fill. */
export const flagsOf = ({ cert, key }: Inputs, port: number): readonly string[] => [
  ...['--tls-cert', cert, '--tls-key', key, '--backfill=false'],
  ...['--host', '127.0.0.1', '--port', String(port), '--metrics-port', '0'],
]

/** In a stand-in of a cluster. */
export const startInPod = async (inputs: Inputs, argv: readonly string[]): Promise<Command> =>
  runInPod(await serveCluster(inputs), argv)

/** Ours, with its service account where the kubelet would mount it, seen by this process only; needs root. */
export function runInPod(
  { port, serviceAccount }: Pick<Cluster, 'port' | 'serviceAccount'>,
  argv: readonly string[],
): Command {
  const target = '/run/secrets/kubernetes.io/serviceaccount'
  const script = `mount -t tmpfs tmpfs /run && mkdir -p ${target} && cp ${serviceAccount}/* ${target} && exec "$@"`
  return {
    argv: ['unshare', '--mount', 'sh', '-c', script, 'sh', ...argv],
    env: {
      ...readEnv('Dockerfile.webhook'),
      ...{ KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) },
    },
  }
}

export const FLOOR: Contestant = {
  name: 'floor: bare node:https',
  path: PATH,
  prepare: ({ cert, key }, port) =>
    serveWith(process.execPath, join(HERE, 'floor.mjs'), String(port), cert, key),
}

export const RIVALS: readonly Contestant[] = [
  {
    name: 'express 5, express.json, pino-http',
    path: PATH,
    prepare: ({ cert, key }, port) =>
      serveWith(process.execPath, join(install('express'), 'server.mjs'), String(port), cert, key),
  },
  {
    name: 'Go, typed decoding',
    path: PATH,
    prepare: ({ cert, key }, port) => serveWith(buildGo('plain'), String(port), cert, key),
  },
  {
    name: 'pod-security-admission v0.35.4',
    path: '/?timeout=10s',
    prepare: async (inputs, port) => ({
      argv: [
        buildGo('podsecurity'),
        ...['--kubeconfig', (await serveCluster(inputs)).kubeconfig],
        ...['--tls-cert-file', inputs.cert, '--tls-private-key-file', inputs.key],
        ...['--bind-address', '127.0.0.1', '--secure-port', String(port)],
      ],
      // A streamed list is more than the stand-in of a cluster gives.
      env: { KUBE_FEATURE_WatchListClient: 'false' },
    }),
  },
  {
    name: 'controller-runtime v0.23.1',
    path: PATH,
    prepare: ({ folder }, port) => serveWith(buildGo('controllerruntime'), String(port), folder),
  },
  {
    name: 'Pepr v1.1.4',
    path: '/mutate/bench?timeout=10s',
    prepare: async (inputs, port) => ({
      argv: [process.execPath, join(install('pepr'), 'server.mjs'), String(port)],
      // The variables of the Deployment that `pepr build` writes, and what else would be mounted there.
      env: {
        ...{ PEPR_WATCH_MODE: 'false', PEPR_PRETTY_LOG: 'false', LOG_LEVEL: 'info', PEPR_API_PATH: 'bench' },
        ...{ SSL_CERT_PATH: inputs.cert, SSL_KEY_PATH: inputs.key },
        KUBECONFIG: (await serveCluster(inputs)).kubeconfig,
      },
    }),
  },
]

const serveWith = (...argv: readonly string[]): Promise<Command> => Promise.resolve({ argv })

/** In the very versions of its lock file, installed anew where another one stood there. */
function install(name: 'express' | 'pepr'): string {
  const folder = join(CACHE, 'bench', name)
  const isInstalled = existsSync(join(folder, 'node_modules/.package-lock.json'))
  const before = isInstalled ? readFileSync(join(folder, LOCK), 'utf8') : undefined
  mkdirSync(folder, { recursive: true })
  cpSync(join(HERE, name), folder, { recursive: true })
  // Pepr's bundler and test tools are peers, of which a server has no use.
  if (before !== readFileSync(join(folder, LOCK), 'utf8'))
    run(folder, 'npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps')
  return folder
}

const LOCK = 'package-lock.json'

/** By the module's own pinned versions. */
function buildGo(name: string): string {
  const folder = join(CACHE, 'bench/go')
  const go = join(run(ROOT, 'test/tools/go.sh').trim(), 'go')
  run(
    join(dirname(dirname(HERE)), 'bench/go'),
    go,
    'build',
    '-trimpath',
    '-o',
    join(folder, name),
    `./${name}`,
  )
  return join(folder, name)
}

const run = (folder: string, command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
