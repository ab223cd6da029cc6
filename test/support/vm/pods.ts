/** Pods of the suites on a machine. */
import type { RunningPod, Workload } from './workload.ts'

/** The machine's one NVMe disk; a partition of it is mounted on /data. */
export const DISK = '259:0'

/** The image with fio in it, which the machine has. */
export const IMAGE = { image: 'test.local/fio:1', imagePullPolicy: 'Never' }

/** One container with the disk on /data; it runs the image's own command where none is given. */
export const specOf = (command?: readonly string[]): object => ({
  terminationGracePeriodSeconds: 1,
  containers: [
    {
      ...{ name: 'main', ...IMAGE, ...(command && { command }) },
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    },
  ],
  volumes: [{ name: 'data', hostPath: { path: '/data' } }],
})

/** Applies a pod of that spec to a namespace that enforces a policy, once that admits; gives it once it runs. */
export async function runPod(
  cluster: Workload,
  namespace: string,
  name: string,
  command?: readonly string[],
): Promise<RunningPod> {
  const metadata = { namespace, name, labels: { app: name } }
  await cluster.untilAdmitting(namespace)
  await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec: specOf(command) })
  return await cluster.untilRunning(namespace, `app=${name}`)
}
