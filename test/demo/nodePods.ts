/** The admitted pods as the kubelet's `/pods` would list them once they run. */
import type { Admitted } from './admission.ts'

export interface NodePod {
  readonly name: string
  readonly uid: string
  readonly containerId: string
  readonly annotations: Readonly<Record<string, string>>
  readonly container: string
}

export function toNodePods(admitted: readonly Admitted[]): readonly NodePod[] {
  return admitted.map(({ case: { name }, pod }, index) => ({
    name,
    uid: `${String(index + 1).repeat(8)}-0000-4000-8000-000000000000`,
    containerId: String(index + 1).repeat(64),
    annotations: pod.metadata.annotations ?? {},
    container: pod.spec.containers[0]?.name ?? '',
  }))
}

export const formatPodList = (pods: readonly NodePod[]): string =>
  JSON.stringify({
    kind: 'PodList',
    apiVersion: 'v1',
    items: pods.map(({ name, uid, containerId, annotations, container }) => ({
      metadata: { namespace: 'rec', name, uid, annotations },
      status: { containerStatuses: [{ name: container, containerID: `containerd://${containerId}` }] },
    })),
  })
