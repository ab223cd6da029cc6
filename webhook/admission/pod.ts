/** The few fields of a Pod that decisions look at. Source: k8s.io/api/core/v1/types.go. */
import { DEFAULTED_KEY } from '../../contract/keys.ts'
import {
  childOf,
  type Field,
  isAbsent,
  readList,
  readMap,
  readString,
  readStringMap,
} from '../../contract/reader.ts'
import type { ContainerInfo, PodInfo } from '../policy/subject.ts'
import { findEdited } from './ownership.ts'

export interface ReadPod extends PodInfo {
  readonly generateName: string
  /** False where the annotations are missing or null: a patch has to make the map first. */
  readonly hasAnnotations: boolean
}

export function readPod(field: Field): ReadPod | undefined {
  const pod = readMap(field)
  if (pod === undefined) return undefined
  const metadataField = childOf(field, pod, 'metadata')
  const metadata = readMap(metadataField)
  if (metadata === undefined) return undefined
  const annotationsField = childOf(metadataField, metadata, 'annotations')
  const annotations = readStringMap(annotationsField)
  const generateName = childOf(metadataField, metadata, 'generateName')
  return {
    labels: readStringMap(childOf(metadataField, metadata, 'labels')),
    annotations,
    // The books are long, and only of what the list names does it matter who set it.
    edited: Object.hasOwn(annotations, DEFAULTED_KEY)
      ? findEdited(childOf(metadataField, metadata, 'managedFields').value)
      : NONE_EDITED,
    hasAnnotations: !isNone(annotationsField),
    generateName: isNone(generateName) ? '' : (readString(generateName) ?? ''),
    deleting: !isNone(childOf(metadataField, metadata, 'deletionTimestamp')),
    containers: readAllContainers(childOf(field, pod, 'spec')),
  }
}

const NONE_EDITED: ReadonlySet<string> = new Set()

const isNone = (field: Field): boolean => isAbsent(field) || field.value === null

function readAllContainers(specField: Field): readonly ContainerInfo[] {
  if (isNone(specField)) return []
  const spec = readMap(specField)
  if (spec === undefined) return []
  const containers: ContainerInfo[] = []
  for (const key of CONTAINER_LISTS) {
    const list = childOf(specField, spec, key)
    if (isNone(list)) continue
    for (const item of readList(list) ?? []) {
      const container = readContainer(item)
      if (container !== undefined) containers.push(container)
    }
  }
  return containers
}

const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers']

function readContainer(field: Field): ContainerInfo | undefined {
  const container = readMap(field)
  if (container === undefined) return undefined
  const name = readString(childOf(field, container, 'name'))
  const imageField = childOf(field, container, 'image')
  const image = isNone(imageField) ? '' : readString(imageField)
  return name === undefined || image === undefined ? undefined : { name, image }
}

/** The annotations of a Binding; none where there is no metadata to carry them. */
export function readBindingAnnotations(field: Field): Readonly<Record<string, string>> {
  const binding = readMap(field)
  if (binding === undefined) return {}
  const metadataField = childOf(field, binding, 'metadata')
  const metadata = isNone(metadataField) ? {} : readMap(metadataField)
  return metadata === undefined ? {} : readStringMap(childOf(metadataField, metadata, 'annotations'))
}
