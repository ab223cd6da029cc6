import type { Changes } from '../../webhook/policy/changes.ts'
import type { PodInfo, Subject } from '../../webhook/policy/subject.ts'

/** A pod of one container, with what a test says of it. */
export const podOf = (given: Partial<PodInfo> = {}): PodInfo => ({
  labels: {},
  annotations: {},
  containers: [{ name: 'main', image: 'registry.test/app:1' }],
  deleting: false,
  ...given,
})

/** A subject in namespace `team`, whose labels name policies by mode. */
export const subjectOf = (
  labels: Readonly<Record<string, string>>,
  pod: Partial<PodInfo>,
  old?: Partial<PodInfo>,
): Subject => ({
  namespace: {
    name: 'team',
    labels: Object.fromEntries(Object.entries(labels).map(([mode, name]) => [`iops-limit/${mode}`, name])),
  },
  pod: podOf(pod),
  ...(old && { old: podOf(old) }),
})

/** The annotations of a pod once the changes are carried out. */
export function changed(
  annotations: Readonly<Record<string, string>>,
  { set, remove }: Changes,
): Readonly<Record<string, string>> {
  const kept = Object.entries(annotations).filter(([key]) => !remove.includes(key))
  return { ...Object.fromEntries(kept), ...set }
}
