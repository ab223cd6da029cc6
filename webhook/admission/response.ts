/** AdmissionReview responses that the API server takes. Source: k8s.io/apiserver/pkg/admission/plugin/webhook/request/admissionreview.go (VerifyAdmissionResponse). */
import { ADMISSION_API_VERSION, ADMISSION_KIND } from './review.ts'
import { cut, toPrintable, toWarnings } from './sentence.ts'

export interface AdmissionReviewResponse {
  readonly apiVersion: typeof ADMISSION_API_VERSION
  readonly kind: typeof ADMISSION_KIND
  readonly response: {
    readonly uid: string
    readonly allowed: boolean
    /** Only on a refusal. */
    readonly status?: { readonly code: 403; readonly reason: 'Forbidden'; readonly message: string }
    /** Stands with {@link patch} and never without it. */
    readonly patchType?: 'JSONPatch'
    /** Base64 of the patch as JSON. */
    readonly patch?: string
    readonly warnings?: readonly string[]
    /** The API server puts the webhook's name and a slash before each key; the keys themselves have none. */
    readonly auditAnnotations?: Readonly<Record<string, string>>
  }
}

interface Content {
  readonly allowed: boolean
  readonly message?: string
  /** Base64. */
  readonly patch?: string
  readonly warnings?: readonly string[]
  readonly auditAnnotations?: Readonly<Record<string, string>>
}

/** Audit events and refusals are for people: what runs on is cut. */
const LONGEST_TEXT = 2048

/** Empty parts are left out: an empty patch is no patch. */
export function formatResponse(uid: string, content: Content): AdmissionReviewResponse {
  const { allowed, message, patch = '', warnings = [], auditAnnotations = {} } = content
  const response: Writable<AdmissionReviewResponse['response']> = { uid, allowed }
  if (message !== undefined)
    response.status = { code: 403, reason: 'Forbidden', message: cut(toPrintable(message), LONGEST_TEXT) }
  if (patch !== '') {
    response.patchType = 'JSONPatch'
    response.patch = patch
  }
  if (warnings.length > 0) response.warnings = toWarnings(warnings)
  const audited = Object.entries(auditAnnotations)
  if (audited.length > 0)
    response.auditAnnotations = Object.fromEntries(
      audited.map(([key, text]) => [key, cut(toPrintable(text), LONGEST_TEXT)]),
    )
  return { apiVersion: ADMISSION_API_VERSION, kind: ADMISSION_KIND, response }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
