/** A pod's containers as its spec and status name them. Source: k8s.io/api/core/v1/types.go (PodSpec, ContainerStatus). */
import { childOf, type Field, readList, readMap, readString } from '../../contract/reader.ts'

export interface Containers {
  /** By the list's word: the pod's cgroup should be there. */
  readonly isRunning: boolean
  /** Names by the id that the runtime gave; a container that has not started yet has none. */
  readonly containers: ReadonlyMap<string, string>
  /** Names of those that may yet start, or start anew under an id that no status names so far. */
  readonly startable: readonly string[]
}

/** Statuses follow the containers by a second or more, since they come back through the API server. */
export function readContainers(spec: Field, status: Field): Containers {
  const map = isNone(status) ? {} : (readMap(status) ?? {})
  const policy = fieldOf(spec.value, 'restartPolicy')
  const isRestarted = policy === undefined || policy === 'Always'
  const known = KINDS.flatMap(({ statuses }) => {
    const startAgain = statuses === 'containerStatuses' && isRestarted
    return readStatuses(childOf(status, map, statuses)).map((one) => ({
      ...one,
      hasEnded: one.hasEnded && !startAgain,
    }))
  })
  const ended = new Set(known.flatMap(({ name, hasEnded }) => (hasEnded ? [name] : [])))
  return {
    isRunning: childOf(status, map, 'phase').value === 'Running',
    containers: new Map(known.flatMap(({ id, name }) => (id === undefined ? [] : [[id, name] as const]))),
    startable: readNames(spec).filter((name) => !ended.has(name)),
  }
}

const KINDS = [
  { specs: 'initContainers', statuses: 'initContainerStatuses' },
  { specs: 'containers', statuses: 'containerStatuses' },
  { specs: 'ephemeralContainers', statuses: 'ephemeralContainerStatuses' },
] as const

const isNone = ({ value }: Field): boolean => value === undefined || value === null

interface Status {
  readonly name: string
  readonly id: string | undefined
  readonly hasEnded: boolean
}

function readStatuses(field: Field): readonly Status[] {
  if (isNone(field)) return []
  return (readList(field) ?? []).flatMap((item) => {
    const status = readMap(item)
    if (status === undefined) return []
    const name = readString(childOf(item, status, 'name'))
    const idField = childOf(item, status, 'containerID')
    const id = isNone(idField) ? undefined : readString(idField)
    if (name === undefined) return []
    return [{ name, id: withoutScheme(id ?? '') || undefined, hasEnded: hasEndedWell(status['state']) }]
  })
}

/** `containerd://ID` to `ID`. */
const withoutScheme = (id: string): string => id.slice(id.lastIndexOf('/') + 1)

/** As init containers and those of Jobs do, which then do not start again. */
const hasEndedWell = (state: unknown): boolean => fieldOf(fieldOf(state, 'terminated'), 'exitCode') === 0

const fieldOf = (value: unknown, key: string): unknown =>
  isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** What is odd about a spec is the kubelet's to say: a name that is not there is not awaited. */
function readNames(spec: Field): readonly string[] {
  return KINDS.flatMap(({ specs }) => {
    const list = fieldOf(spec.value, specs)
    const items: readonly unknown[] = Array.isArray(list) ? list : []
    return items.flatMap((item) => {
      const name = fieldOf(item, 'name')
      return typeof name === 'string' ? [name] : []
    })
  })
}
