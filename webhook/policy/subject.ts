/** What a decision is about: the parts of a pod and of its namespace that policy may look at. */
import type { Annotations } from '../../contract/annotations.ts'
import type { NamespaceInfo } from './policy.ts'
import type { Labels } from './selector.ts'

export interface ContainerInfo {
  readonly name: string
  readonly image: string
}

export interface PodInfo {
  readonly labels: Labels
  readonly annotations: Annotations
  /** Annotations that are known to be somebody's own, whatever the list of defaults says; absent: none is. */
  readonly edited?: ReadonlySet<string>
  /** Containers, init containers (sidecars among them) and ephemeral ones. */
  readonly containers: readonly ContainerInfo[]
  /** Has a deletionTimestamp: nothing may stand in the way of its end. */
  readonly deleting: boolean
}

export interface Subject {
  readonly namespace: NamespaceInfo
  readonly pod: PodInfo
  /** The pod as it stands, on UPDATE. */
  readonly old?: PodInfo
  /** This product's own user asks: the advisor's word on a pod that stands is its own. Absent: anybody else. */
  readonly isOwn?: boolean
}

/** The kubelet compares a static pod's mirror with its manifest: whoever changes it starts a fight. */
export const isMirrorPod = ({ annotations }: PodInfo): boolean =>
  Object.hasOwn(annotations, 'kubernetes.io/config.mirror')
