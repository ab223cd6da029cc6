/**
 * Limits that adapt, on a real node: fio in a container, the kernel's own counters, the real enforcer, the advisor, admission, and
 * fio again, which measures what became of it.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { namespaceOf } from '../support/cluster/objects.ts'
import { DISK, runPod } from '../support/vm/pods.ts'
import { RELEASE, upgradeChart } from '../support/vm/release.ts'
import { createAccess } from '../support/vm/vm.ts'
import { createWorkload, type RunningPod, until } from '../support/vm/workload.ts'

const machine = createAccess(inject('machine'))
const cluster = createWorkload(machine)

const NAMESPACE = 'adaptive'
/** Operations a second: what a pod has, what is too much over the window, and what is imposed then. */
const [USUAL, ABOVE, IMPOSED] = [400, 150, 100]

const POLICY = {
  apiVersion: 'policy.iops-limit/v1alpha1',
  kind: 'IOLimitPolicy',
  metadata: { name: NAMESPACE },
  spec: {
    rules: [
      {
        name: 'batch',
        default: { writeIOPS: USUAL },
        max: { writeIOPS: 1000 },
        adaptive: {
          windows: [{ over: '30s', above: { writeIOPS: ABOVE }, limit: { writeIOPS: IMPOSED } }],
          hold: '30s',
          release: { below: 0.5, for: '30s' },
        },
      },
    ],
  },
}

let pod: RunningPod

beforeAll(async () => {
  // Samples and looks in seconds, so that a window of half a minute is full soon.
  await upgradeChart(machine, {
    'advisor.enabled': 'true',
    'advisor.interval': '5s',
    'enforcer.usage.interval': '10s',
  })
  await cluster.apply(POLICY, namespaceOf(NAMESPACE, NAMESPACE))
  pod = await runPod(cluster, NAMESPACE, 'batch')
}, 900_000)

afterAll(async () => {
  await cluster.kubectl('delete', 'namespace', NAMESPACE, '--wait=false')
  await upgradeChart(machine)
}, 900_000)

const untilIoMax = (iops: number): Promise<unknown> =>
  until(
    `io.max of ${iops} writes a second`,
    async () =>
      (await cluster.readIoMax(pod.uid)) === `${DISK} rbps=max wbps=max riops=max wiops=${iops}` || undefined,
    60,
  )

async function readAnnotations(): Promise<Readonly<Record<string, string>>> {
  const text = await cluster.kubectl('get', 'pod', '-n', NAMESPACE, pod.name, '-o', 'json')
  const { metadata } = JSON.parse(text) as {
    readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
  }
  return metadata.annotations ?? {}
}

const readReasons = async (): Promise<readonly string[]> =>
  (
    await cluster.kubectl(
      ...['get', 'events', '-n', NAMESPACE, '--field-selector', `involvedObject.name=${pod.name}`],
      ...['-o', 'jsonpath={.items[*].reason}'],
    )
  ).split(' ')

const near = (measured: number, limit: number): boolean => Math.abs(measured - limit) <= limit * 0.2

/** What the advisor and the enforcer say, for whoever has to find out why. */
async function tellWhy(error: unknown): Promise<never> {
  const logs = await machine.kubectl([
    ...['logs', '-n', RELEASE, '--all-containers', '--prefix', '--tail=60'],
    ...['-l', 'app.kubernetes.io/name=iops-limit'],
  ])
  throw new Error(`${String(error)}\n${logs.stdout}`, { cause: error })
}

/** One life, in its order. */
describe('a container that hammers the disk', { shuffle: false }, () => {
  it('has its usual limit first', async () => {
    await untilIoMax(USUAL)
    const measured = await cluster.measure(pod, 'randwrite')
    console.log(`limit ${USUAL}: fio measured ${measured.toFixed(0)}`)
    expect(near(measured, USUAL)).toBe(true)
  })

  it('is capped once it has gone on for the window, and says why', async () => {
    const began = performance.now()
    const measured: number[] = []
    await until(
      'the pod is capped',
      async () => {
        measured.push(await cluster.measure(pod, 'randwrite'))
        return (await readAnnotations())['iops-limit/adapted']
      },
      400,
    ).catch(tellWhy)
    await untilIoMax(IMPOSED)
    const seconds = (performance.now() - began) / 1000
    const capped = await cluster.measure(pod, 'randwrite')
    console.log(
      `fio measured ${measured.map((rate) => rate.toFixed(0)).join(', ')}; capped after ${seconds.toFixed(0)} s, then ${capped.toFixed(0)}`,
    )
    expect(near(capped, IMPOSED)).toBe(true)
    const { 'iops-limit/adapted': note = '', ...annotations } = await readAnnotations()
    console.log(note)
    expect(annotations['iops-limit/write-iops']).toBe(String(IMPOSED))
    expect(JSON.parse(note)).toMatchObject({
      imposed: { 'write-iops': String(IMPOSED) },
      replaced: { 'write-iops': null },
      why: expect.stringMatching(/^batch: write-iops \d+\/s over 30s, above 150$/) as string,
    })
    expect(await readReasons()).toContain('IOLimitAdapted')
  }, 600_000)

  it('is released once it is calm, to what it had', async () => {
    const began = performance.now()
    await until(
      'the pod is released',
      async () => (await readAnnotations())['iops-limit/adapted'] === undefined || undefined,
      300,
    ).catch(tellWhy)
    await untilIoMax(USUAL)
    const seconds = (performance.now() - began) / 1000
    const measured = await cluster.measure(pod, 'randwrite')
    console.log(`released after ${seconds.toFixed(0)} s; fio measured ${measured.toFixed(0)}`)
    expect(near(measured, USUAL)).toBe(true)
    expect(await readAnnotations()).toMatchObject({
      'iops-limit/write-iops': String(USUAL),
      'iops-limit/defaulted': 'write-iops',
    })
    expect(await readReasons()).toContain('IOLimitReleased')
  }, 600_000)
})
