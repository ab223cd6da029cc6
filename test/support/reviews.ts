import { readdirSync, readFileSync } from 'node:fs'
import type { AdmissionReviewResponse } from '../../webhook/admission/response.ts'

const RECORDED = new URL('../fixtures/recorded/admission/', import.meta.url)

/** An AdmissionReview as tests change it: the API server's JSON, whose shape they know. */
// biome-ignore format: one line
export interface RecordedReview {
  apiVersion: string
  kind: string
  request: {
    uid: string
    operation: string
    namespace?: string
    name?: string
    dryRun?: boolean
    subResource?: string
    resource: { group: string; version: string; resource: string }
    object: RecordedPod | null
    oldObject?: RecordedPod | null
    [key: string]: unknown
  }
}

export interface RecordedPod {
  metadata: {
    name?: string
    namespace?: string
    labels?: Record<string, string> | null
    annotations?: Record<string, string> | null
    deletionTimestamp?: string
    [key: string]: unknown
  }
  spec: { containers: { name: string; image: string }[]; [key: string]: unknown }
  [key: string]: unknown
}

/** Names of the reviews that a real API server sent. */
export const RECORDED_NAMES = readdirSync(RECORDED).sort()

/** A fresh copy of the one whose file name begins so. */
export function recordedReview(prefix: string): RecordedReview {
  const name = RECORDED_NAMES.find((file) => file.startsWith(prefix))
  if (name === undefined) throw new Error(`no recorded review begins with ${prefix}`)
  return JSON.parse(readFileSync(new URL(name, RECORDED), 'utf8')) as RecordedReview
}

/** The review of a bare pod's creation with these annotations. */
export function reviewOf(
  annotations: Record<string, string> | null | undefined,
  change: (review: RecordedReview) => void = () => undefined,
): RecordedReview {
  const review = recordedReview('05')
  if (review.request.object === null) throw new Error('recorded review 05 has no object')
  if (annotations === undefined) delete review.request.object.metadata.annotations
  else review.request.object.metadata.annotations = annotations
  change(review)
  return review
}

/** The patch of a response, decoded; empty where there is none. */
export function patchOf({ response }: AdmissionReviewResponse): readonly {
  readonly op: string
  readonly path: string
  readonly value?: unknown
}[] {
  if (response.patch === undefined) return []
  return JSON.parse(Buffer.from(response.patch, 'base64').toString()) as ReturnType<typeof patchOf>
}

/**
 * What the API server checks of a response (VerifyAdmissionResponse in
 * k8s.io/apiserver/pkg/admission/plugin/webhook/request/admissionreview.go), and what it silently drops or cuts
 * (warning headers, audit annotation keys). Empty when nothing is wrong.
 */
export function findResponseFaults(uid: string, body: unknown): readonly string[] {
  const { apiVersion, kind, response } = body as Partial<AdmissionReviewResponse>
  if (response === undefined) return ['no response']
  const { patch, patchType, warnings = [], auditAnnotations = {}, allowed, status } = response
  const faults: string[] = []
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview')
    faults.push('not an AdmissionReview of v1')
  if (response.uid !== uid) faults.push('another uid')
  if (typeof allowed !== 'boolean') faults.push('no verdict')
  if ((patch === undefined) !== (patchType === undefined)) faults.push('patch and patchType not together')
  if (patchType !== undefined && (patchType as string) !== 'JSONPatch') faults.push('no JSONPatch')
  if (patch === '' || (patch !== undefined && patchOf(body as AdmissionReviewResponse).length === 0))
    faults.push('an empty patch')
  if (!allowed && patch !== undefined) faults.push('a patch on a refusal')
  if (allowed !== (status === undefined)) faults.push('a status without a refusal, or none with one')
  if (warnings.length === 0 && response.warnings !== undefined) faults.push('an empty list of warnings')
  for (const warning of warnings)
    if (!/^[\x20-\x7e]{1,256}$/.test(warning))
      faults.push(`a warning that the API server drops or cuts: ${warning}`)
  if (warnings.join('').length > 4096) faults.push('more than 4,096 characters of warnings')
  for (const key of Object.keys(auditAnnotations))
    if (!/^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/.test(key))
      faults.push(`an audit key that the API server drops: ${key}`)
  return faults
}
