/**
 * Every answer that is not a review's. Body: `{"error":{"reason":"body-too-large","message":"…"}}`, where `reason` is one
 * of a fixed few, and is also the label of the metric. Never a 500.
 */
import { formatProblem, type Problem, quoteValue } from '../../contract/problem.ts'

export interface Rejection {
  readonly status: number
  readonly reason: string
  /** What is wrong and what to do. */
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

export const rejectPath = (path: string): Rejection => ({
  status: 404,
  reason: 'unknown-path',
  message: `there is nothing at ${quoteValue(path)}: send AdmissionReviews to /mutate or /validate`,
})

export const rejectMethod = (method: string, allowed: string): Rejection => ({
  status: 405,
  reason: 'wrong-method',
  message: `${method} is not taken here: send ${allowed}`,
  headers: { Allow: allowed },
})

export const rejectClient = (): Rejection => ({
  status: 401,
  reason: 'unknown-client',
  message:
    'reviews are taken from the API server only: show a certificate that --client-ca has signed, with a name of --client-names',
})

export const rejectType = (given: string | undefined): Rejection => ({
  status: 415,
  reason: 'wrong-content-type',
  message: `Content-Type ${given === undefined ? 'is missing' : `${quoteValue(given)} is not read here`}: send application/json in UTF-8`,
})

export const rejectEncoding = (given: string): Rejection => ({
  status: 415,
  reason: 'wrong-content-encoding',
  message: `Content-Encoding ${quoteValue(given)} is not read here: send the body as it is`,
})

export const rejectSize = (maxBytes: number): Rejection => ({
  status: 413,
  reason: 'body-too-large',
  message: `the body has more than ${maxBytes} bytes: send a smaller object, or raise --max-body-bytes`,
})

/** Too many requests, or too many bytes of them, at the same time. */
export const rejectCrowd = (): Rejection => ({
  status: 429,
  reason: 'too-busy',
  message: 'too many reviews are under way: try again in a second',
  headers: { 'Retry-After': '1' },
})

export const rejectLate = (milliseconds: number): Rejection => ({
  status: 504,
  reason: 'deadline-exceeded',
  message: `no answer within ${milliseconds} ms: send the body faster, or allow more time (timeoutSeconds, --review-timeout)`,
})

export const rejectEmpty = (): Rejection => ({
  status: 400,
  reason: 'empty-body',
  message: 'the body is empty: send an AdmissionReview as JSON',
})

export const rejectUtf8 = (): Rejection => ({
  status: 400,
  reason: 'not-utf-8',
  message: 'the body is not UTF-8: send an AdmissionReview as JSON in UTF-8',
})

/** `complaint` is the parser's: of it only the place is told, since the rest quotes the body. */
export const rejectJson = (complaint: string): Rejection => ({
  status: 400,
  reason: 'not-json',
  message: `the body is not JSON${describePlace(complaint)}: send an AdmissionReview as JSON`,
})

function describePlace(complaint: string): string {
  if (complaint.startsWith('Unexpected end')) return ', it ends too soon'
  const position = /at position (\d+)/.exec(complaint)?.[1]
  return position === undefined ? '' : `, it breaks at character ${position}`
}

const MOST_SHOWN = 10

export function rejectReview(problems: readonly Problem[]): Rejection {
  const more = problems.length - MOST_SHOWN
  const shown = problems.slice(0, MOST_SHOWN).map(formatReviewProblem)
  return {
    status: 400,
    reason: 'not-a-review',
    message: [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('. '),
  }
}

/** A problem of the whole body has no path. */
const formatReviewProblem = (problem: Problem): string =>
  formatProblem({ ...problem, field: problem.field === '' ? 'the body' : problem.field })

/** The request broke before it reached anybody: its bytes are not HTTP, its headers too large or too slow. */
export const rejectHttp = (code: string): Rejection =>
  HTTP_ERRORS[code] ?? {
    status: 400,
    reason: 'not-http',
    message: 'the request is not HTTP/1.1: send one that is',
  }

const HTTP_ERRORS: Readonly<Record<string, Rejection>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: 'headers-too-large',
    message: 'the headers are too large: send fewer',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    reason: 'request-too-slow',
    message: 'the request came too slowly: send it faster',
  },
}

/** A mistake of ours outside of the review itself; the API server goes by its failurePolicy. */
export const rejectBroken = (): Rejection => ({
  status: 503,
  reason: 'internal',
  message: 'iops-limit broke on this request: see its log, and report it',
})
