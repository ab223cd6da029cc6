/** The whole product on a real cluster: chart, images, admission, kernel. */
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { namespaceOf } from '../support/cluster/objects.ts'
import { policyObject } from '../support/cluster/policies.ts'
import { DISK, specOf } from '../support/vm/pods.ts'
import { createAccess } from '../support/vm/vm.ts'
import { createWorkload, type RunningPod, until } from '../support/vm/workload.ts'

const machine = createAccess(inject('machine'))
const cluster = createWorkload(machine)

const GOLD = policyObject('gold', {
  default: { readIOPS: 200, writeIOPS: 100 },
  max: { readIOPS: 1000, writeIOPS: 1000 },
})

const POD_SPEC = specOf()

const deploymentOf = (namespace: string, name: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace, name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: POD_SPEC },
  },
})

const near = (measured: number, limit: number): boolean => Math.abs(measured - limit) <= limit * 0.15

/** Before this suite: others may have stopped what they liked. */
let failures: readonly string[]

beforeAll(async () => {
  await cluster.apply(GOLD)
  await until('the policy is accepted', async () => {
    const status = await cluster.kubectl(
      ...['get', 'iolp', 'gold', '-o', 'jsonpath={.status.conditions[?(@.type=="Accepted")].status}'],
    )
    return status === 'True' || undefined
  })
})

describe('a Deployment without any annotation, in a namespace that has opted in', () => {
  const NAMESPACE = 'opted-in'
  let pod: RunningPod

  beforeAll(async () => {
    await cluster.apply(namespaceOf(NAMESPACE, 'gold'))
    await cluster.untilAdmitting(NAMESPACE)
    failures = findFailures(await cluster.kubectl('get', '--raw', '/metrics'))
    await cluster.apply(deploymentOf(NAMESPACE, 'web'))
    pod = await cluster.untilRunning(NAMESPACE, 'app=web')
  })

  const untilIoMax = (line: string): Promise<unknown> =>
    until(
      `io.max ${JSON.stringify(line)}`,
      async () => ((await cluster.readIoMax(pod.uid)) === line ? true : undefined),
      30,
    )

  it('carries the defaults on its pods', () => {
    expect(pod.annotations).toMatchObject({
      'iops-limit/read-iops': '200',
      'iops-limit/write-iops': '100',
      'iops-limit/defaulted': 'read-iops,write-iops',
      'iops-limit/policy': 'gold/all',
    })
  })

  it('is limited by the kernel, as fio measures from within', async () => {
    await untilIoMax(`${DISK} rbps=max wbps=max riops=200 wiops=100`)
    const read = await cluster.measure(pod, 'randread')
    const written = await cluster.measure(pod, 'randwrite')
    console.log(`limits 200 and 100: fio measured ${read.toFixed(0)} and ${written.toFixed(0)}`)
    expect({ read: near(read, 200), written: near(written, 100) }).toEqual({ read: true, written: true })
  })

  it('follows a changed annotation', async () => {
    await cluster.kubectl(
      'annotate',
      'pod',
      '-n',
      NAMESPACE,
      pod.name,
      '--overwrite',
      'iops-limit/read-iops=400',
    )
    await untilIoMax(`${DISK} rbps=max wbps=max riops=400 wiops=100`)
    const read = await cluster.measure(pod, 'randread')
    console.log(`limit 400: fio measured ${read.toFixed(0)}`)
    expect(near(read, 400)).toBe(true)
  })

  it('refuses a pod above the bounds, in words that kubectl shows', async () => {
    const annotations = { 'iops-limit/read-iops': '5000' }
    const metadata = { namespace: NAMESPACE, name: 'greedy', annotations }
    const refused = cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec: POD_SPEC })
    await expect(refused).rejects.toThrow(/iops-limit\/read-iops.*5000.*1000/s)
  })

  it('is free again without label and annotation', async () => {
    await cluster.kubectl('label', 'namespace', NAMESPACE, 'iops-limit/enforce-')
    await cluster.kubectl(
      ...['annotate', 'pod', '-n', NAMESPACE, pod.name, 'iops-limit/read-iops-', 'iops-limit/write-iops-'],
    )
    await untilIoMax('')
    const read = await cluster.measure(pod, 'randread')
    console.log(`no limit: fio measured ${read.toFixed(0)}`)
    expect(read).toBeGreaterThan(800)
  })
})

/** Calls of a webhook that failed; those that were refused for what they ask are told apart by their type: no_error. */
function findFailures(metrics: string): readonly string[] {
  const isFailure =
    /_fail_open_count\{.*iops-limit|_rejection_count\{error_type="(?!no_error).*iops-limit|_request_total\{code="(0|5\d\d)".*iops-limit/
  return metrics
    .split('\n')
    .filter((line) => line.startsWith('apiserver_admission_webhook') && isFailure.test(line))
}

describe("the API server's own view", () => {
  it('shows a dry run that leaves nothing behind, and no failed call of a webhook', async () => {
    const NAMESPACE = 'dry'
    await cluster.apply(namespaceOf(NAMESPACE, 'gold'))
    await cluster.untilAdmitting(NAMESPACE)
    const pod = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: NAMESPACE, name: 'dry' },
      spec: POD_SPEC,
    })
    const { stdout, code } = await machine.kubectl(
      ['create', '--dry-run=server', '-o', 'json', '-f', '-'],
      pod,
    )
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      metadata: { annotations: { 'iops-limit/policy': 'gold/all' } },
    })
    expect(await cluster.kubectl('get', 'pods', '-n', NAMESPACE, '-o', 'name')).toBe('')
    const metrics = await cluster.kubectl('get', '--raw', '/metrics')
    expect(findFailures(metrics)).toEqual(failures)
    expect(metrics).toMatch(/^apiserver_admission_webhook_request_total\{.*iops-limit/m)
  })

  it('shows no drift when the same manifest is applied again', async () => {
    const NAMESPACE = 'drift'
    await cluster.apply(namespaceOf(NAMESPACE, 'gold'))
    await cluster.untilAdmitting(NAMESPACE)
    const manifest = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        deploymentOf(NAMESPACE, 'web'),
        { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NAMESPACE, name: 'bare' }, spec: POD_SPEC },
      ],
    })
    for (const mode of [[], ['--server-side', '--field-manager=argocd-controller']]) {
      const first = await machine.kubectl(['apply', ...mode, '--force-conflicts=false', '-f', '-'], manifest)
      expect(first).toMatchObject({ code: 0 })
      const diff = await machine.kubectl(['diff', ...mode, '-f', '-'], manifest)
      expect(diff).toMatchObject({ code: 0, stdout: '' })
    }
  })
})
