/** The enforcer of the chart on a real node: what it may do, which containers it reaches, and what becomes of its limits. */
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { namespaceOf } from '../support/cluster/objects.ts'
import { policyObject } from '../support/cluster/policies.ts'
import { DISK, IMAGE } from '../support/vm/pods.ts'
import { RELEASE } from '../support/vm/release.ts'
import { createAccess } from '../support/vm/vm.ts'
import { createWorkload, sliceOf, until } from '../support/vm/workload.ts'

const machine = createAccess(inject('machine'))
const cluster = createWorkload(machine)

const NAMESPACE = 'enforced'
/** A disk that is none of the enforcer's. */
const OTHER = '254:0'

const podOf = (namespace: string, name: string, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name, labels: { app: name } },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', ...IMAGE }], ...spec },
})

beforeAll(async () => {
  await cluster.apply(
    policyObject('pods', { default: { readIOPS: 300 }, max: { readIOPS: 5000 } }),
    policyObject('containers', {
      scope: 'container',
      default: { writeIOPS: 70 },
      exemptContainers: { names: ['proxy'] },
    }),
    namespaceOf(NAMESPACE, 'pods'),
    namespaceOf(`${NAMESPACE}-each`, 'containers'),
  )
  await cluster.untilAdmitting(NAMESPACE)
  await cluster.untilAdmitting(`${NAMESPACE}-each`)
})

/** What a command line prints on the machine. */
async function run(command: string): Promise<string> {
  const { code, stdout, stderr } = await machine.run(command)
  if (code !== 0) throw new Error(`${command}: ${stderr}`)
  return stdout.trim()
}

// The brackets keep pgrep from finding the shell that runs it.
const ENFORCER = '$(pgrep -f "[-]-data-mount=/data")'

const untilLine = (uid: string, line: string): Promise<unknown> =>
  until(`io.max ${JSON.stringify(line)}`, async () => (await linesOf(uid)).includes(line) || undefined, 90)

const linesOf = async (uid: string): Promise<readonly string[]> => (await cluster.readIoMax(uid)).split('\n')

const limitOf = (riops: string): string => `${DISK} rbps=max wbps=max riops=${riops} wiops=max`

async function readMetric(name: string): Promise<number> {
  const pod = await cluster.kubectl(
    ...['get', 'pods', '-n', RELEASE, '-l', 'app.kubernetes.io/component=enforcer'],
    ...['-o', 'jsonpath={.items[0].metadata.name}'],
  )
  const path = `/api/v1/namespaces/${RELEASE}/pods/${pod}:8081/proxy/metrics`
  const text = await cluster.kubectl('get', '--raw', path)
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1))
}

describe('least privilege', () => {
  it('no capability, the runtime default of seccomp, no way to more', async () => {
    const status = await run(`cat /proc/${ENFORCER}/status`)
    const read = (field: string): string | undefined => RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1]
    const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(read)
    expect(new Set(sets)).toEqual(new Set(['0000000000000000']))
    expect({ seccomp: read('Seccomp'), noNewPrivileges: read('NoNewPrivs') }).toEqual({
      seccomp: '2',
      noNewPrivileges: '1',
    })
  })

  it.each(['pid', 'net', 'mnt', 'ipc', 'uts'])('its own %s namespace', async (kind) => {
    const [own, host] = await Promise.all([
      run(`readlink /proc/${ENFORCER}/ns/${kind}`),
      run(`readlink /proc/1/ns/${kind}`),
    ])
    expect(own).toMatch(`${kind}:[`)
    expect(own).not.toBe(host)
  })

  it('of the host it sees the cgroups, to write, and the data mount, to read', async () => {
    const mounts = (await run(`cat /proc/${ENFORCER}/mounts`)).split('\n').map((line) => {
      const [source = '', target = '', type = '', options = ''] = line.split(' ')
      return { source, target, type, isWritable: options.split(',').includes('rw') }
    })
    const kernelOwn = ['proc', 'sysfs', 'devpts', 'mqueue']
    const host = mounts.filter(({ target, type }) => !(kernelOwn.includes(type) || isOfRuntime(target)))
    expect(host.map(({ target, isWritable }) => ({ target, isWritable }))).toEqual([
      { target: '/', isWritable: false },
      { target: '/data', isWritable: false },
      { target: '/sys/fs/cgroup', isWritable: true },
    ])
    await expect(run(`ls /proc/${ENFORCER}/root/run/containerd`)).rejects.toThrow('No such file')
    await expect(run(`ls /proc/${ENFORCER}/root/var/lib/kubelet`)).rejects.toThrow('No such file')
  })

  it('its token may do what the chart gives it, and nothing else', async () => {
    const user = `--as=system:serviceaccount:${RELEASE}:${RELEASE}-enforcer`
    const can = async (...args: readonly string[]): Promise<string> =>
      (await machine.kubectl(['auth', 'can-i', ...args, user])).stdout.trim()
    expect(await can('get', 'nodes', '--subresource=pods')).toBe('yes')
    expect(await can('list', 'pods', '--all-namespaces')).toBe('yes')
    const forbidden = [
      ['get', 'nodes', '--subresource=proxy'],
      ['create', 'nodes', '--subresource=proxy'],
      ['get', 'secrets', '--all-namespaces'],
      ['list', 'secrets', '-n', RELEASE],
      ['patch', 'pods', '--all-namespaces'],
      ['delete', 'pods', '--all-namespaces'],
      ['create', 'pods', '--subresource=exec', '--all-namespaces'],
      ['create', 'pods', '-n', RELEASE],
      ['list', 'namespaces'],
      ['list', 'iolimitpolicies.policy.iops-limit'],
      ['patch', 'mutatingwebhookconfigurations'],
      ['create', 'serviceaccounts', '--subresource=token', '-n', RELEASE],
    ]
    const answers = await Promise.all(forbidden.map((args) => can(...args)))
    expect(answers.map((answer) => answer.split('\n').at(-1))).toEqual(forbidden.map(() => 'no'))
  })
})

/** What every container gets of its runtime, and what the kernel hides in one. */
const isOfRuntime = (target: string): boolean =>
  /^\/(dev|proc)(\/|$)|^\/etc\/(hosts|hostname|resolv\.conf)$|^\/(var\/)?run\/secrets\/|^\/sys\/(firmware|devices)/.test(
    target,
  )

describe('containers', () => {
  it('each of a pod is limited, however it came; an exempt one is not, nor is the pod', async () => {
    const namespace = `${NAMESPACE}-each`
    await cluster.apply(
      podOf(namespace, 'many', {
        initContainers: [{ name: 'sidecar', ...IMAGE, restartPolicy: 'Always' }],
        containers: [
          { name: 'main', ...IMAGE },
          { name: 'proxy', ...IMAGE },
        ],
      }),
    )
    const pod = await cluster.untilRunning(namespace, 'app=many')
    const debug = JSON.stringify({ spec: { ephemeralContainers: [{ name: 'debugger', ...IMAGE }] } })
    await cluster.kubectl(
      'patch',
      'pod',
      '-n',
      namespace,
      'many',
      '--subresource=ephemeralcontainers',
      '-p',
      debug,
    )
    const wanted = `${DISK} rbps=max wbps=max riops=max wiops=70`
    const lines = await until('limits of all containers', async () => {
      const read = await readEach(namespace, pod.name, pod.uid)
      return Object.values(read).filter((line) => line === wanted).length === 3 ? read : undefined
    })
    expect(lines).toEqual({ sidecar: wanted, main: wanted, proxy: '', debugger: wanted })
    expect(await cluster.readIoMax(pod.uid)).toBe('')
    await cluster.kubectl('delete', 'pod', '-n', namespace, 'many', '--wait=false')
  })

  it('one that starts anew is limited anew', async () => {
    const namespace = `${NAMESPACE}-each`
    await cluster.apply(podOf(namespace, 'again'))
    const pod = await cluster.untilRunning(namespace, 'app=again')
    const wanted = `${DISK} rbps=max wbps=max riops=max wiops=70`
    const read = async (): Promise<string | undefined> =>
      (await readEach(namespace, pod.name, pod.uid))['main']
    await until('the first limit', async () => (await read()) === wanted || undefined)
    const first = await containerIdOf(namespace, 'again', 'main')
    await run(`ctr -n k8s.io tasks kill -s SIGKILL ${first}`)
    await until('another container', async () => {
      const id = await containerIdOf(namespace, 'again', 'main')
      return (id !== '' && id !== first) || undefined
    })
    await until('the limit anew', async () => (await read()) === wanted || undefined)
    expect(await read()).toBe(wanted)
    await cluster.kubectl('delete', 'pod', '-n', namespace, 'again', '--wait=false')
  })
})

interface Statuses {
  readonly status: Readonly<
    Record<string, readonly { readonly name: string; readonly containerID?: string }[] | undefined>
  >
}

async function readIds(namespace: string, name: string): Promise<Readonly<Record<string, string>>> {
  const { status } = JSON.parse(
    await cluster.kubectl('get', 'pod', '-n', namespace, name, '-o', 'json'),
  ) as Statuses
  const all = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'].flatMap(
    (kind) => status[kind] ?? [],
  )
  return Object.fromEntries(
    all.map(({ name: container, containerID = '' }) => [container, containerID.slice(13)]),
  )
}

const containerIdOf = async (namespace: string, name: string, container: string): Promise<string> =>
  (await readIds(namespace, name))[container] ?? ''

/** The line of the disk in each container's own cgroup. */
async function readEach(
  namespace: string,
  name: string,
  uid: string,
): Promise<Readonly<Record<string, string>>> {
  const slice = sliceOf(uid)
  const ids = Object.entries(await readIds(namespace, name))
  const lines = await Promise.all(
    ids.map(async ([container, id]) => {
      const { stdout } = await machine.run(`cat ${slice}/cri-containerd-${id}.scope/io.max`)
      return [container, stdout.trim()] as const
    }),
  )
  return Object.fromEntries(lines)
}

describe('nothing stale', () => {
  it('killed, and things changed meanwhile: every limit is right again, and what others wrote is untouched', async () => {
    const leaving = `${NAMESPACE}-leaving`
    await cluster.apply(namespaceOf(leaving, 'pods'))
    await cluster.untilAdmitting(leaving)
    await cluster.apply(podOf(NAMESPACE, 'kept'), podOf(NAMESPACE, 'changed'), podOf(leaving, 'freed'))
    const [kept, changed, freed] = await Promise.all([
      cluster.untilRunning(NAMESPACE, 'app=kept'),
      cluster.untilRunning(NAMESPACE, 'app=changed'),
      cluster.untilRunning(leaving, 'app=freed'),
    ])
    await Promise.all([kept, changed, freed].map(({ uid }) => untilLine(uid, limitOf('300'))))
    const slice = sliceOf(kept.uid)
    await run(`echo '${OTHER} wiops=4321' > ${slice}/io.max`)
    await run(`kill -9 ${ENFORCER}`)
    const change = ['--overwrite', 'iops-limit/read-iops=1200']
    await cluster.kubectl('annotate', 'pod', '-n', NAMESPACE, 'changed', ...change)
    // The back-fill takes back what it gave.
    await cluster.kubectl('label', 'namespace', leaving, 'iops-limit/enforce-')
    await untilLine(changed.uid, limitOf('1200'))
    await untilLine(freed.uid, '')
    expect(await linesOf(kept.uid)).toEqual([
      `${OTHER} rbps=max wbps=max riops=max wiops=4321`,
      limitOf('300'),
    ])
  })

  it('a limit that somebody resets is back at the next pass, and counted', async () => {
    await cluster.apply(namespaceOf(NAMESPACE, 'pods'), podOf(NAMESPACE, 'drift'))
    const { uid } = await cluster.untilRunning(NAMESPACE, 'app=drift')
    await untilLine(uid, limitOf('300'))
    const before = await readMetric('iops_limit_enforcer_drift_total')
    const slice = sliceOf(uid)
    await run(`echo '${DISK} riops=max' > ${slice}/io.max`)
    await untilLine(uid, limitOf('300'))
    expect(await readMetric('iops_limit_enforcer_drift_total')).toBe(before + 1)
  })

  it('while the API server is away, limits that somebody resets are back all the same', async () => {
    const { uid } = await cluster.untilRunning(NAMESPACE, 'app=drift')
    await run('systemctl stop kube-apiserver')
    const slice = sliceOf(uid)
    try {
      await run(`echo '${DISK} riops=max' > ${slice}/io.max`)
      await untilLine(uid, limitOf('300'))
      expect(await linesOf(uid)).toContain(limitOf('300'))
    } finally {
      await run('systemctl start kube-apiserver')
    }
    await until(
      'the API server again',
      async () => (await cluster.kubectl('get', '--raw', '/readyz')) === 'ok' || undefined,
    )
    await cluster.untilAdmitting(NAMESPACE)
  })
})
