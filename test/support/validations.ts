import type { ValidationWorld } from '../../webhook/admission/judgement.ts'
import { answerValidation } from '../../webhook/admission/validate.ts'
import { parseValidation, type Validation } from '../../webhook/admission/validation.ts'
import { findResponseFaults } from './reviews.ts'

/** `apps/deployments` as a request names it; the subresource stands behind the resource. */
export interface ValidationRequest {
  readonly resource: string
  readonly operation?: string
  readonly namespace?: string
  readonly name?: string
  readonly object?: unknown
  readonly oldObject?: unknown
}

const GROUPS = ['apps', 'batch', 'policy.iops-limit']

/** The review that the API server would send. */
export function validationOf({
  resource,
  operation = 'CREATE',
  namespace = 'team',
  ...rest
}: ValidationRequest) {
  const parts = resource.split('/')
  const group = GROUPS.includes(parts[0] ?? '') ? parts.shift() : ''
  const [name = '', subResource] = parts
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      operation,
      resource: { group, version: 'v1', resource: name },
      ...(subResource !== undefined && { subResource }),
      namespace,
      name: 'web',
      dryRun: false,
      object: null,
      oldObject: null,
      ...rest,
    },
  }
}

export function parsedValidation(request: ValidationRequest): Validation {
  const parsed = parseValidation(validationOf(request))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

/** What comes back, and what is logged; throws where the API server would not take the answer. */
export function validate(request: ValidationRequest, world: ValidationWorld) {
  const { body, record } = answerValidation(parsedValidation(request), world)
  const faults = findResponseFaults('u-1', body)
  if (faults.length > 0) throw new Error(faults.join('; '))
  const { allowed, status, warnings = [], auditAnnotations = {} } = body.response
  return { allowed, message: status?.message, warnings, auditAnnotations, record }
}
