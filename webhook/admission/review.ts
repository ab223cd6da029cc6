/**
 * AdmissionReview requests of `admission.k8s.io/v1`, from unknown JSON to what the decision needs.
 * Source: k8s.io/api/admission/v1/types.go.
 */
import { bad, ok, type Result } from '../../contract/problem.ts'
import {
  childOf,
  type Field,
  isAbsent,
  readBoolean,
  readMap,
  readString,
  refuse,
  rootField,
} from '../../contract/reader.ts'
import type { PodInfo } from '../policy/subject.ts'
import { readBindingAnnotations, readPod } from './pod.ts'

export const ADMISSION_API_VERSION = 'admission.k8s.io/v1'
export const ADMISSION_KIND = 'AdmissionReview'

export const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const
export type Operation = (typeof OPERATIONS)[number]

export type Review = ReviewOf<Content>

/** A request; C is what there is to decide on. */
export interface ReviewOf<C> {
  /** Echoed in the answer. */
  readonly uid: string
  readonly operation: Operation
  /** `pods`, `pods/status`, `apps/deployments`: group and subresource where there are any. */
  readonly resource: string
  /** The request's, never the object's; empty for cluster-scoped objects. */
  readonly namespace: string
  /** Empty where the API server has yet to make it from {@link generateName}. */
  readonly name: string
  readonly generateName: string
  readonly dryRun: boolean
  /** Who asks: the name by which the API server knows them; empty where it does not say. */
  readonly user: string
  readonly content: C
}

/** What there is to decide on. */
export type Content =
  | { readonly kind: 'pod'; readonly pod: PodInfo; readonly old?: PodInfo; readonly hasAnnotations: boolean }
  /** A scheduler's Binding, by either of its ways: its annotations are copied onto the pod (registry/core/pod/storage, assignPod). */
  | { readonly kind: 'binding'; readonly annotations: Readonly<Record<string, string>> }
  /** Anything that cannot change a pod's limits. */
  | { readonly kind: 'other' }

/** Reads only what decisions need: what is not read may hold anything. Problems carry the field's path. */
export const parseReview = (body: unknown): Result<Review> => parseReviewOf(body, readPodContent)

/** Likewise, with another idea of what there is to decide on. */
export function parseReviewOf<C>(body: unknown, readContent: ContentReader<C>): Result<ReviewOf<C>> {
  const root = rootField(body, '')
  const review = readReview(root, readContent)
  return review === undefined || root.problems.length > 0 ? bad(...root.problems) : ok(review)
}

function readReview<C>(root: Field, readContent: ContentReader<C>): ReviewOf<C> | undefined {
  const map = readMap(root)
  if (map === undefined) return undefined
  const [version, kind] = [childOf(root, map, 'apiVersion'), childOf(root, map, 'kind')]
  if (version.value !== ADMISSION_API_VERSION)
    refuse(version, 'is not a version spoken here', `send ${ADMISSION_API_VERSION}`)
  if (kind.value !== ADMISSION_KIND) refuse(kind, 'is not a review', `send kind ${ADMISSION_KIND}`)
  const requestField = childOf(root, map, 'request')
  const request = readMap(requestField)
  return request && readRequest((key) => childOf(requestField, request, key), readContent)
}

/** The field of the request that stands under a key. */
export type At = (key: string) => Field

function readRequest<C>(at: At, readContent: ContentReader<C>): ReviewOf<C> | undefined {
  const uid = readString(at('uid'))
  if (uid === '') refuse(at('uid'), 'is empty', "send the request's uid")
  const operation = OPERATIONS.find((known) => known === at('operation').value)
  if (operation === undefined)
    refuse(at('operation'), 'is not an operation', `send one of ${OPERATIONS.join(', ')}`)
  const resource = readResource(at('resource'), readOptionalString(at('subResource')))
  const namespace = readOptionalString(at('namespace'))
  const name = readOptionalString(at('name'))
  const dryRun = isNone(at('dryRun')) ? false : (readBoolean(at('dryRun')) ?? false)
  const user = findUser(at('userInfo').value)
  if (uid === undefined || operation === undefined || resource === undefined) return undefined
  const { generateName, content } = readContent({ operation, resource, at })
  return { uid, operation, resource, namespace, name, generateName, dryRun, user, content }
}

/** Lenient: nothing is refused for want of it, and nobody is our own user by it. */
const findUser = (userInfo: unknown): string =>
  typeof userInfo === 'object' &&
  userInfo !== null &&
  'username' in userInfo &&
  typeof userInfo.username === 'string'
    ? userInfo.username
    : ''

function readResource(field: Field, subResource: string): string | undefined {
  const map = readMap(field)
  if (map === undefined) return undefined
  const group = readOptionalString(childOf(field, map, 'group'))
  const resource = readString(childOf(field, map, 'resource'))
  return resource === undefined
    ? undefined
    : [group, resource, subResource].filter((part) => part !== '').join('/')
}

const isNone = (field: Field): boolean => isAbsent(field) || field.value === null

const readOptionalString = (field: Field): string => (isNone(field) ? '' : (readString(field) ?? ''))

/** What a reader of contents goes by. */
export interface Requested {
  readonly operation: Operation
  readonly resource: string
  readonly at: At
}

export type ContentReader<C> = (requested: Requested) => Pick<ReviewOf<C>, 'content' | 'generateName'>

type Named = Pick<Review, 'content' | 'generateName'>

/** `bindings` is the older way, and stored by the same code. */
const BINDINGS = ['pods/binding', 'bindings']

/**
 * Other subresources (`ephemeralcontainers`, `resize`, `eviction`, ...) keep the pod's metadata as it is: a patch of ours would be
 * dropped (registry/core/pod/strategy.go), so there is nothing to decide.
 */
export function readPodContent({ operation, resource, at }: Requested): Named {
  if (operation === 'CREATE' && BINDINGS.includes(resource))
    return {
      generateName: '',
      content: { kind: 'binding', annotations: readBindingAnnotations(at('object')) },
    }
  const isUpdate = operation === 'UPDATE' && (resource === 'pods' || resource === 'pods/status')
  if (!isUpdate && !(operation === 'CREATE' && resource === 'pods')) return NOTHING
  const read = readPod(at('object'))
  const old = isUpdate ? readPod(at('oldObject')) : undefined
  if (read === undefined || (isUpdate && old === undefined)) return NOTHING
  const { generateName, hasAnnotations } = read
  return { generateName, content: { kind: 'pod', pod: read, hasAnnotations, ...(old && { old }) } }
}

const NOTHING: Named = { content: { kind: 'other' }, generateName: '' }
