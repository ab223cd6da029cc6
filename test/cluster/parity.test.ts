/**
 * `iops-limit review` and a real API server with the real webhook: the same verdict, the same annotations, the same
 * warnings. The API server runs every pod by `dryRun=All`, as `kubectl apply --dry-run=server` asks for it.
 */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GeneratedPod, generatePod, wrapPod } from '../support/cli/generate.ts'
import { type Ended, runCommand } from '../support/cli/run.ts'
import { type Cluster, startCluster } from '../support/cluster/cluster.ts'
import { labelledNamespaceOf, registrationOf } from '../support/cluster/objects.ts'
import { LOOSE_CRD, policyObject } from '../support/cluster/policies.ts'
import { type Client, createClient } from '../support/https/client.ts'
import { createWebhookFiles, type WebhookFiles } from '../support/https/files.ts'
import { startWebhook, type WebhookProcess } from '../support/https/webhook.ts'
import { policyText } from '../support/policies.ts'
import { createRandom, runSeed } from '../support/random.ts'
import { RECORDED_NAMES, recordedReview } from '../support/reviews.ts'
import { until } from '../support/until.ts'

const LABELS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  enforced: { 'iops-limit/enforce': 'gold' },
  warned: { 'iops-limit/warn': 'gold' },
  both: { 'iops-limit/enforce': 'loose', 'iops-limit/warn': 'gold', 'iops-limit/audit': 'strict' },
  strict: { 'iops-limit/enforce': 'strict' },
  wrong: { 'iops-limit/enforce': 'nothing' },
  plain: {},
}
const NAMESPACES = Object.keys(LABELS)

const namespaceObjects = Object.entries(LABELS).map(([name, labels]) => labelledNamespaceOf(name, labels))

const MORE_POLICIES =
  policyText('loose', '{name: all, default: {iops: 900}, scope: container}') +
  policyText(
    'strict',
    '{name: web, selector: "app=web", max: {iops: 100, bps: 10Mi}, scope: pod}',
    '{name: rest, exempt: true}',
  )

let cluster: Cluster
let files: WebhookFiles
let webhook: WebhookProcess
let api: Client
let token: string
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'iops-limit-parity-'))
  cluster = await startCluster()
  files = await createWebhookFiles()
  const gold = await readFile('test/fixtures/policies/gold.yaml', 'utf8')
  await writeFile(join(files.directory, 'policies.yaml'), `${gold}${MORE_POLICIES}`)
  const list = { apiVersion: 'v1', kind: 'List', items: namespaceObjects }
  await writeFile(join(files.directory, 'namespaces.yaml'), JSON.stringify(list))
  webhook = await startWebhook(files.argv)
  await cluster.apply(
    ...namespaceObjects,
    registrationOf({ origin: webhook.origin, ca: files.ca, operations: ['CREATE'] }),
  )
  api = createClient(cluster.origin, { ca: cluster.ca, maxSockets: 4 })
  token = /"?token"?: ?"?([\da-f]+)/.exec(await readFile(cluster.kubeconfig, 'utf8'))?.[1] ?? ''
  await untilCalled()
})

afterAll(async () => {
  api.close()
  await webhook[Symbol.asyncDispose]()
  await files[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** What came of a pod, whoever says so. */
interface Told {
  readonly allowed: boolean
  readonly annotations: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
  /** Of a refusal. */
  readonly message: string
}

interface ApiAnswer {
  readonly message?: string
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> }
}

async function askCluster(namespace: string, name: string, pod: GeneratedPod): Promise<Told> {
  const body = { apiVersion: 'v1', kind: 'Pod', ...pod, metadata: { ...pod.metadata, name } }
  const {
    status,
    headers,
    body: text,
  } = await api.send({
    path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = JSON.parse(text) as ApiAnswer
  if (status !== 201 && status !== 403) throw new Error(`${status}: ${text}`)
  return {
    allowed: status === 201,
    annotations: answer.metadata?.annotations ?? {},
    warnings: readWarnings(headers['warning']),
    message: answer.message ?? '',
  }
}

/** RFC 7234, 5.5; those of others are not ours. */
const readWarnings = (header: string | string[] | undefined): readonly string[] =>
  [...String(header ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)]
    .map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'))
    .filter((text) => text.startsWith('iops-limit: '))

/** A new configuration takes the API server a moment. */
async function untilCalled(): Promise<void> {
  const pod = { metadata: {}, spec: { containers: [{ name: 'c', image: 'i' }] } }
  await until(async () => 'iops-limit/policy' in (await askCluster('enforced', 'probe', pod)).annotations)
}

interface Result {
  readonly name: string
  readonly namespace: string
  readonly verdict: string
  readonly violations: readonly { readonly message: string }[]
  readonly warnings: readonly { readonly message: string }[]
  /** With --server only. */
  readonly disagreements?: readonly string[]
  readonly patch: readonly {
    readonly op: string
    readonly path: string
    readonly value?: string | Readonly<Record<string, string>>
  }[]
}

/** The command itself, on files; policies and namespaces are those that the webhook was given. */
async function review(objects: readonly object[], ...argv: readonly string[]): Promise<readonly Result[]> {
  const path = join(folder, 'manifests.json')
  await writeFile(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  const { stdout, stderr } = await run(path, '--output', 'json', ...argv)
  expect(stderr).toBe('')
  return (JSON.parse(stdout) as { results: readonly Result[] }).results
}

const run = (...argv: readonly string[]): Promise<Ended> => runCommand(['review', ...sources(), ...argv])

const sources = (): readonly string[] => [
  ...['--policies', join(files.directory, 'policies.yaml')],
  ...['--namespaces', join(files.directory, 'namespaces.yaml')],
]

function applyPatch(pod: GeneratedPod, patch: Result['patch']): Readonly<Record<string, string>> {
  const annotations: Record<string, string> = { ...pod.metadata.annotations }
  for (const { op, path, value } of patch) {
    const key = path.slice('/metadata/annotations/'.length).replaceAll('~1', '/').replaceAll('~0', '~')
    if (op === 'remove') Reflect.deleteProperty(annotations, key)
    else if (typeof value === 'string') annotations[key] = value
    else Object.assign(annotations, value)
  }
  return annotations
}

interface Case {
  readonly name: string
  readonly namespace: string
  readonly pod: GeneratedPod
}

function expectParity({ name, pod }: Case, mine: Result, theirs: Told): void {
  expect({
    name,
    allowed: mine.verdict !== 'refused',
    warnings: mine.warnings.map(({ message }) => message),
  }).toEqual({
    name,
    allowed: theirs.allowed,
    warnings: theirs.warnings,
  })
  if (theirs.allowed) expect(applyPatch(pod, mine.patch)).toEqual(theirs.annotations)
  for (const { message } of mine.violations) expect(theirs.message).toContain(message.slice(0, 60))
}

const seed = runSeed()
const random = createRandom(seed)
const CASES: readonly Case[] = Array.from({ length: 1000 }, (_, index) => ({
  name: `pod-${index}`,
  namespace: random.pick(NAMESPACES),
  pod: generatePod(random),
}))

describe(`review and the API server agree (seed ${seed})`, () => {
  it('on 1,000 generated pods, templates among them', async () => {
    const objects = CASES.map(({ name, namespace, pod }) => wrapPod(pod, { name, namespace }, random))
    const results = await review(objects)
    expect(results).toHaveLength(CASES.length)
    const told: Told[] = []
    for (let at = 0; at < CASES.length; at += 20) {
      const batch = CASES.slice(at, at + 20)
      told.push(
        ...(await Promise.all(batch.map(({ namespace, name, pod }) => askCluster(namespace, name, pod)))),
      )
    }
    for (const [index, each] of CASES.entries()) expectParity(each, results[index]!, told[index]!)
    const verdicts = new Set(results.map(({ verdict }) => verdict))
    expect([...verdicts].sort()).toEqual(['allowed', 'defaulted', 'not-opted-in', 'refused', 'warned'])
  })

  it('on the pods of every recorded review', async () => {
    const pods = RECORDED_NAMES.map((name) => recordedReview(name).request.object).filter(
      (object) => object?.['kind'] === 'Pod',
    )
    const cases = pods.map((object, index) => {
      const { labels, annotations } = object!.metadata
      const containers = object!.spec.containers.map(({ name, image }) => ({ name, image }))
      const metadata = { ...(labels && { labels }), ...(annotations && { annotations }) }
      return { name: `recorded-${index}`, namespace: 'enforced', pod: { metadata, spec: { containers } } }
    })
    expect(cases.length).toBeGreaterThan(4)
    const results = await review(
      cases.map(({ name, namespace, pod }) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        ...pod,
        metadata: { ...pod.metadata, name, namespace },
      })),
    )
    for (const [index, each] of cases.entries())
      expectParity(each, results[index]!, await askCluster(each.namespace, each.name, each.pod))
  })

  it('and so does the command as it is shipped', async () => {
    const objects = CASES.slice(0, 200).map(({ name, namespace, pod }) =>
      wrapPod(pod, { name, namespace }, random),
    )
    const results = await review(objects)
    await promisify(execFile)(process.execPath, ['scripts/setup.mjs'])
    const argv = [
      'dist/iops-limit.js',
      'review',
      join(folder, 'manifests.json'),
      '--output',
      'json',
      ...sources(),
    ]
    const { status, stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8', maxBuffer: 1e8 })
    expect(status).toBe(1)
    expect((JSON.parse(stdout) as { results: readonly Result[] }).results).toEqual(results)
  })

  it('as kubectl apply --dry-run=server prints it', async () => {
    const cases = CASES.slice(0, 60)
    const pods = cases.map(({ name, namespace, pod }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      ...pod,
      metadata: { ...pod.metadata, name, namespace },
    }))
    const results = await review(pods)
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods })
    const { stdout, stderr } = await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], list)
    const created = stdout.split('\n').filter((line) => line.endsWith('created (server dry run)'))
    const allowed = results.filter(({ verdict }) => verdict !== 'refused').map(({ name }) => name)
    expect(created.map((line) => /^pod\/(\S+)/.exec(line)?.[1])).toEqual(allowed)
    const warnings = stderr.split('\n').filter((line) => line.startsWith('Warning: iops-limit: '))
    // kubectl tells each text once.
    expect(new Set(warnings)).toEqual(
      new Set(results.flatMap((result) => result.warnings.map(({ message }) => `Warning: ${message}`))),
    )
  })

  it('and --server finds no difference, in manifests and in recorded reviews', async () => {
    const live = ['--server', webhook.origin, '--server-ca', join(folder, 'ca.crt')]
    await writeFile(join(folder, 'ca.crt'), files.ca)
    const objects = CASES.slice(0, 300).map(({ name, namespace, pod }) =>
      wrapPod(pod, { name, namespace }, random),
    )
    const results = await review(objects, ...live)
    expect(results.flatMap(({ disagreements }) => disagreements)).toEqual([])
    const recorded = await run('test/fixtures/recorded/admission', '--unknown-namespace', 'allow', ...live)
    expect(recorded.stderr).toBe('')
    expect(recorded.stdout).not.toContain('server-disagrees')
  })

  it('and --server tells what a webhook with other policies says otherwise', async () => {
    await writeFile(join(folder, 'ca.crt'), files.ca)
    const other = join(folder, 'other.yaml')
    await writeFile(other, policyText('gold', '{name: all, default: {iops: 7}}'))
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'enforced' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    }
    await writeFile(join(folder, 'pod.json'), JSON.stringify(pod))
    const { code, stdout } = await runCommand([
      ...[
        'review',
        join(folder, 'pod.json'),
        '--policies',
        other,
        '--namespace-labels',
        'iops-limit/enforce=gold',
      ],
      ...['--server', `${webhook.origin}/mutate`, '--server-ca', join(folder, 'ca.crt')],
    ])
    expect(code).toBe(1)
    expect(stdout).toContain(
      `server-disagrees: the server's patch is [{"op":"add","path":"/metadata/annotations","value":{"iops-limit/read-iops":"500"`,
    )
  })
})

describe('what the tools read from a cluster', () => {
  const POD = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'enforced', annotations: { 'iops-limit/read-iops': '700' } },
    spec: {
      containers: [
        { name: 'c', image: 'i' },
        { name: 'log', image: 'j' },
      ],
    },
  }
  const access = (): readonly string[] => ['--kubeconfig', cluster.kubeconfig]

  beforeAll(async () => {
    await cluster.apply(LOOSE_CRD)
    const gold = policyObject('gold', { default: { iops: 500 }, max: { iops: 1000 } })
    await until(() =>
      cluster.apply(gold).then(
        () => true,
        () => false,
      ),
    )
    await cluster.apply(POD)
    await writeFile(join(folder, 'web.json'), JSON.stringify(POD))
  })

  it('review --from-cluster: policies and namespaces as they are now, and nothing is written', async () => {
    const paths = ['/api/v1/namespaces', '/apis/policy.iops-limit/v1alpha1/iolimitpolicies']
    const readAll = (): Promise<readonly string[]> => Promise.all(paths.map((path) => cluster.readText(path)))
    const before = await readAll()
    const { code, stdout, stderr } = await runCommand([
      'review',
      join(folder, 'web.json'),
      '--from-cluster',
      ...access(),
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(
      stdout,
    ).toBe(`defaulted         Pod enforced/web, policy gold, rule all ${join(folder, 'web.json')}:1
  gold/all fills in write-iops=500
  limits of the pod: read-iops=700 write-iops=500
  container c: shares them
  container log: shares them
1 workload: 1 defaulted; 0 other objects
`)
    const items = (texts: readonly string[]): unknown =>
      texts.map((text) => (JSON.parse(text) as { readonly items: unknown }).items)
    expect(items(await readAll())).toEqual(items(before))
  })

  it('review --from-cluster says why it cannot', async () => {
    const { code, stdout, stderr } = await runCommand([
      ...['review', join(folder, 'web.json'), '--from-cluster', '--kubeconfig', join(folder, 'nothing')],
    ])
    expect(code).toBe(2)
    expect(stdout).toContain('1 unknown-namespace')
    expect(stderr).toMatch(/^iops-limit review: ENOENT: no such file or directory, open '.*nothing'\n$/)
  })

  it('explain tells which policy and rule decided, what was asked and filled in, and what holds', async () => {
    const { code, stdout, stderr } = await runCommand(['explain', '-n', 'enforced', 'web', ...access()])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`Pod enforced/web, not on a node yet
  namespace: iops-limit/enforce=gold
  decided by: policy gold, rule everything-else
  its author asked: iops-limit/read-iops=700
  admission filled in: iops-limit/write-iops=500
  limits of the pod: read-iops=700 write-iops=500
    container c: shares them
    container log: shares them
  on its node: not known, it is not on one yet
  made anew now: defaulted, by gold/all
`)
  })

  it('explain of a pod that nobody limits, and of one that is not there', async () => {
    await cluster.apply({ ...POD, metadata: { name: 'free', namespace: 'plain' } })
    const { code, stdout } = await runCommand([
      'explain',
      '-n',
      'plain',
      'pod/free',
      '-o',
      'json',
      ...access(),
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      namespace: 'plain',
      name: 'free',
      asked: {},
      defaulted: {},
      labels: {},
    })
    const missing = await runCommand(['explain', 'gone', ...access()])
    expect(missing).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'iops-limit explain: pod default/gone: GET /api/v1/namespaces/default/pods/gone: pods "gone" not found (HTTP 404)\n',
    })
  })
})
