/** The API server, or a kubelet, said no, or could not be asked. */
export class KubeError extends Error {
  /** Of HTTP; 0 where no answer came. */
  readonly status: number
  /** `NotFound`, `Conflict`, `Expired`, ... of the Status object; `Unreachable` and `Timeout` are our own. */
  readonly reason: string
  /** How long the server asks to wait, in milliseconds; undefined where it does not. */
  readonly retryAfter: number | undefined

  constructor(message: string, known: KubeErrorFacts) {
    super(message, known.cause === undefined ? undefined : { cause: known.cause })
    this.name = 'KubeError'
    this.status = known.status
    this.reason = known.reason
    this.retryAfter = known.retryAfter
  }
}

export interface KubeErrorFacts {
  readonly status: number
  readonly reason: string
  readonly retryAfter?: number
  readonly cause?: unknown
}

/** Whether an exception is the API's answer with this reason: `NotFound`, `Conflict`, `AlreadyExists`. */
export const isKubeError = (error: unknown, ...reasons: readonly string[]): error is KubeError =>
  error instanceof KubeError && (reasons.length === 0 || reasons.includes(error.reason))
