/** The rooms of the house and what each may import: the one source of the walls test and of docs/architecture.md. */
export interface Room {
  /** The folder; a folder inside another is a room of its own. */
  readonly folder: string
  readonly holds: string
  /** Rooms whose files it may import, besides its own. */
  readonly rooms: readonly string[]
  /** npm packages that it may import. */
  readonly packages: readonly string[]
  /** True where it may import `node:` modules: files, sockets, processes. */
  readonly effects: boolean
  /** For the page: what it must never know or do. */
  readonly never: string
}

/** What the webhook's programs are made of. */
const WEBHOOK_PARTS: readonly string[] = [
  'contract',
  'certs',
  'settings',
  'kube',
  'webhook/policy',
  'webhook/admission',
  'webhook/cluster',
]

export const ROOMS: readonly Room[] = [
  {
    folder: 'contract',
    holds: 'annotation keys, limits, their spelling; problems; reading of unknown data',
    rooms: [],
    packages: [],
    effects: false,
    never: 'know policies, cgroups or the API',
  },
  {
    folder: 'settings',
    holds: 'flags and environment variables to typed settings',
    rooms: [],
    packages: [],
    effects: false,
    never: 'read the environment itself: it is handed in',
  },
  {
    folder: 'certs',
    holds: 'CA and serving certificate: made, checked',
    rooms: [],
    packages: ['node-forge'],
    effects: true,
    never: 'know who serves with them',
  },
  {
    folder: 'kube',
    holds: 'calls to the API server and to kubelets: connection, requests, list and watch, lease',
    rooms: ['contract'],
    packages: ['@kubernetes/client-node'],
    effects: true,
    never: 'know policies or limits, or what is done with the objects',
  },
  {
    folder: 'webhook/policy',
    holds: 'policy format, selectors, the verdict on a pod',
    rooms: ['contract'],
    packages: ['re2js', 'yaml'],
    effects: false,
    never: 'see a request, a clock, a file, a cgroup',
  },
  {
    folder: 'webhook/admission',
    holds: 'AdmissionReview in, AdmissionReview out',
    rooms: ['contract', 'webhook/policy'],
    packages: ['fast-json-patch'],
    effects: false,
    never: 'see a socket, a log or a metric',
  },
  {
    folder: 'webhook/cluster',
    holds:
      'caches of namespaces and policies, certificates in a Secret, back-fill: what the webhook does with a cluster',
    rooms: ['contract', 'certs', 'kube', 'webhook/policy', 'webhook/admission'],
    packages: [],
    effects: true,
    never: 'answer a request; have an engine of its own',
  },
  {
    folder: 'webhook/advisor/core',
    holds: 'from what a pod did to the limits that follow: averages, hysteresis, advice',
    rooms: ['contract', 'webhook/policy'],
    packages: [],
    effects: false,
    never: 'see a clock, a request, an enforcer',
  },
  {
    folder: 'webhook/advisor',
    holds: "the advisor: reads the enforcers' usage, writes what its core advises",
    rooms: [
      'contract',
      'kube',
      'webhook/policy',
      'webhook/admission',
      'webhook/cluster',
      'webhook/advisor/core',
    ],
    packages: [],
    effects: true,
    never: 'decide by itself; write past admission',
  },
  {
    folder: 'webhook/server',
    holds: 'HTTPS, body and time limits, caches, log, metrics, shutdown',
    rooms: [...WEBHOOK_PARTS, 'webhook/advisor'],
    packages: ['express', 'pino', 'prom-client'],
    effects: true,
    never: 'decide about a pod',
  },
  {
    folder: 'webhook/cli',
    holds: 'the program `iops-limit`',
    rooms: [...WEBHOOK_PARTS, 'webhook/server'],
    packages: ['yaml', 'js-yaml', 'diff'],
    effects: true,
    never: 'have an engine of its own: same verdict as the server',
  },
  {
    folder: 'webhook',
    holds: 'the program `iops-limit-webhook`: wiring',
    rooms: [...WEBHOOK_PARTS, 'webhook/advisor', 'webhook/server'],
    packages: ['pino'],
    effects: true,
    never: 'hold logic: it is a list of parts',
  },
  {
    folder: 'enforcer/core',
    holds: 'pod to limits to targets to planned writes; counters to rates',
    rooms: ['contract'],
    packages: [],
    effects: false,
    never: 'touch the node; know policies or namespace labels',
  },
  {
    folder: 'enforcer/usage',
    holds: "usage of cgroups, by the kubelet's statistics and the kernel's; who may look at it",
    rooms: ['contract', 'kube', 'enforcer/core'],
    packages: [],
    effects: true,
    never: 'write to a cgroup; decide what follows from usage',
  },
  {
    folder: 'enforcer',
    holds: 'the program `iops-limit-enforcer`: reads the node, carries the plan out',
    rooms: ['contract', 'settings', 'kube', 'enforcer/core', 'enforcer/usage'],
    packages: ['pino', 'prom-client'],
    effects: true,
    never: 'decide a limit; know policies or namespace labels',
  },
]

/** The innermost room that a path lies in; undefined where it lies in none. */
export function findRoom(path: string): Room | undefined {
  return ROOMS.filter(({ folder }) => path.startsWith(`${folder}/`)).sort(
    (a, b) => b.folder.length - a.folder.length,
  )[0]
}

/** The table of docs/architecture.md. */
export function formatRooms(): string {
  const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ')
  const rows = ROOMS.map(({ folder, holds, rooms, packages, effects, never }) => {
    const may = [code(rooms), code(packages), effects ? '`node:*`' : ''].filter((part) => part !== '')
    return `| \`${folder}/\` | ${holds} | ${may.join('; ') || 'nothing'} | ${never} |`
  })
  return [
    '| room | holds | may import (rooms; packages) | may not |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}
