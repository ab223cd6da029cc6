/** Usage on a real node: what the real kubelet tells of a container that writes as fast as its limit lets it. */
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { namespaceOf } from '../support/cluster/objects.ts'
import { policyObject } from '../support/cluster/policies.ts'
import { DISK, runPod } from '../support/vm/pods.ts'
import { RELEASE } from '../support/vm/release.ts'
import { createAccess } from '../support/vm/vm.ts'
import { createWorkload, until } from '../support/vm/workload.ts'

const machine = createAccess(inject('machine'))
const cluster = createWorkload(machine)

const NAMESPACE = 'usage'
/** Operations a second. */
const LIMIT = 100
const VIEWER = 'usage-viewer'

const FIO =
  'fio --name=load --rw=randwrite --filename=/data/usage --size=16M --bs=4k --direct=1 --ioengine=psync --time_based --runtime=1800'

const viewer = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: RELEASE, name: VIEWER } },
  {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: VIEWER } },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: `${RELEASE}-enforcer-reader`,
    },
    subjects: [{ kind: 'ServiceAccount', namespace: RELEASE, name: VIEWER }],
  },
]

interface Item {
  readonly container: string | null
  readonly device: string
  readonly limit: object
  readonly usage?: {
    readonly source: string | null
    readonly writeIOPS?: number
    readonly writeBPS?: number
    readonly readIOPS?: number
    readonly passedOver: readonly string[]
    readonly pressureSeconds?: { readonly some: number }
  }
}

const SCRIPT = `fetch(process.argv[1], { headers: process.argv[2] ? { authorization: "Bearer " + process.argv[2] } : {} }).then(async (r) => console.log(JSON.stringify({ status: r.status, ...(await r.json()) })))`

/** The page of the pod's cgroups, asked for from the node. */
async function look(token = ''): Promise<{ readonly status: number; readonly items?: readonly Item[] }> {
  const address = await cluster.kubectl(
    ...['get', 'pods', '-n', RELEASE, '-l', 'app.kubernetes.io/component=enforcer'],
    ...['-o', 'jsonpath={.items[0].status.podIP}'],
  )
  const url = `http://${address}:8081/api/v1/containers?namespace=${NAMESPACE}&pod=load`
  const { code, stdout, stderr } = await machine.run(`node -e '${SCRIPT}' '${url}' '${token}'`)
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Awaited<ReturnType<typeof look>>
}

beforeAll(async () => {
  await cluster.apply(
    policyObject(NAMESPACE, { default: { writeIOPS: LIMIT } }),
    ...viewer,
    namespaceOf(NAMESPACE, NAMESPACE),
  )
  await runPod(cluster, NAMESPACE, 'load', FIO.split(' '))
})

describe('a container that hammers the disk', () => {
  it("shows by the kubelet's own counters, at its limit, to whoever may look", async () => {
    const token = (await cluster.kubectl('create', 'token', VIEWER, '-n', RELEASE)).trim()
    expect((await look()).status).toBe(401)
    const main = await until(
      'usage of the container by two samples of cAdvisor',
      async () => {
        const { items = [] } = await look(token)
        return items.find(
          ({ container, device, usage }) =>
            container === 'main' &&
            device === DISK &&
            usage?.source === 'cadvisor' &&
            Math.abs((usage.writeIOPS ?? 0) - LIMIT) <= LIMIT * 0.2,
        )
      },
      280,
    )
    const { usage } = main
    console.log(`limit ${LIMIT}: usage ${JSON.stringify(usage)}`)
    expect(usage?.passedOver).toEqual(['kubelet summary: it counts neither operations nor bytes'])
    expect(Math.abs((usage?.writeBPS ?? 0) / 4096 - LIMIT)).toBeLessThanOrEqual(LIMIT * 0.2)
    expect(usage?.readIOPS).toBeLessThan(LIMIT / 10)
    expect(usage?.pressureSeconds?.some).toBeGreaterThan(1)
  })
})
