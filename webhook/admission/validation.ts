/** Reviews of the validating webhook, from unknown JSON to what there is to judge. */
import type { Result } from '../../contract/problem.ts'
import {
  childOf,
  type Field,
  isAbsent,
  readBoolean,
  readList,
  readMap,
  readString,
  readStringMap,
} from '../../contract/reader.ts'
import type { Labels } from '../policy/selector.ts'
import type { PodInfo } from '../policy/subject.ts'
import { type Content, parseReviewOf, type Requested, type ReviewOf, readPodContent } from './review.ts'
import { readPodTemplate, WORKLOADS } from './workload.ts'

export type Validation = ReviewOf<ValidationContent>

export type ValidationContent = Content | WorkloadContent | NamespaceContent | PolicyContent

/** An object whose pods are made from a template. */
export interface WorkloadContent {
  readonly kind: 'workload'
  /** `Deployment`. */
  readonly maker: string
  readonly pod: PodInfo
  /** As pods are made from it until now; absent on CREATE. */
  readonly old?: PodInfo
  /** A controller made it from another workload, and nobody reads what it is told. */
  readonly isControlled: boolean
}

export interface NamespaceContent {
  readonly kind: 'namespace'
  readonly labels: Labels
  /** Absent on CREATE. */
  readonly oldLabels?: Labels
}

/** An IOLimitPolicy; what is wrong in it is an answer, not a broken review, so it stays unread here. */
export interface PolicyContent {
  readonly kind: 'policy'
  /** Absent on DELETE. */
  readonly object?: unknown
  /** Absent on CREATE. */
  readonly old?: unknown
}

export const parseValidation = (body: unknown): Result<Validation> => parseReviewOf(body, readContent)

type Read = Pick<Validation, 'content' | 'generateName'>

const NOTHING: Read = { content: { kind: 'other' }, generateName: '' }

/** What is being deleted passes: nothing may stand in the way of its end. */
function readContent(requested: Requested): Read {
  const { operation, resource } = requested
  if (resource === POLICIES) return { ...NOTHING, content: readPolicyContent(requested) }
  if (operation !== 'CREATE' && operation !== 'UPDATE') return NOTHING
  // Labels can be changed by way of its subresources too (registry/core/namespace/strategy.go).
  if (NAMESPACES.has(resource)) return readNamespaceContent(requested)
  const workload = WORKLOADS.find((known) => known.resource === resource)
  if (workload === undefined) return readPodContent(requested)
  const object = requested.at('object')
  const meta = readMeta(object)
  const pod = readPodTemplate(object, workload.path)
  const old = operation === 'UPDATE' ? readPodTemplate(requested.at('oldObject'), workload.path) : undefined
  if (meta === undefined || pod === undefined || meta.isDeleting) return NOTHING
  const { generateName, controller } = meta
  const isControlled = controller !== undefined
  const content = { kind: 'workload', maker: workload.kind, pod, isControlled, ...(old && { old }) } as const
  return { generateName, content }
}

const NAMESPACES: ReadonlySet<string> = new Set(['namespaces', 'namespaces/status', 'namespaces/finalize'])
const POLICIES = 'policy.iops-limit/iolimitpolicies'

function readPolicyContent({ operation, at }: Requested): PolicyContent | { readonly kind: 'other' } {
  const [object, old] = [at('object').value, at('oldObject').value]
  switch (operation) {
    case 'CREATE':
      return { kind: 'policy', object }
    case 'UPDATE':
      return { kind: 'policy', object, old }
    case 'DELETE':
      return { kind: 'policy', old }
    default:
      return { kind: 'other' }
  }
}

function readNamespaceContent({ operation, at }: Requested): Read {
  const meta = readMeta(at('object'))
  const old = operation === 'UPDATE' ? readMeta(at('oldObject')) : undefined
  if (meta === undefined || meta.isDeleting) return NOTHING
  const content = { kind: 'namespace', labels: meta.labels, ...(old && { oldLabels: old.labels }) } as const
  return { generateName: meta.generateName, content }
}

export interface Meta {
  readonly generateName: string
  readonly labels: Labels
  readonly isDeleting: boolean
  /** The one owner that manages the object, as `ReplicaSet web-5974c5bb9c`. */
  readonly controller: string | undefined
}

/** What there is to know of any object. */
export function readMeta(object: Field): Meta | undefined {
  const map = readMap(object)
  if (map === undefined) return undefined
  const metadataField = childOf(object, map, 'metadata')
  const metadata = readMap(metadataField)
  if (metadata === undefined) return undefined
  const at = (key: string): Field => childOf(metadataField, metadata, key)
  return {
    generateName: isNone(at('generateName')) ? '' : (readString(at('generateName')) ?? ''),
    labels: readStringMap(at('labels')),
    isDeleting: !isNone(at('deletionTimestamp')),
    controller: findController(at('ownerReferences')),
  }
}

const isNone = (field: Field): boolean => isAbsent(field) || field.value === null

function findController(references: Field): string | undefined {
  if (isNone(references)) return undefined
  for (const reference of readList(references) ?? []) {
    const map = readMap(reference)
    if (map === undefined) continue
    const at = (key: string): Field => childOf(reference, map, key)
    if (isNone(at('controller')) || readBoolean(at('controller')) !== true) continue
    return `${readString(at('kind')) ?? ''} ${readString(at('name')) ?? ''}`
  }
  return undefined
}
