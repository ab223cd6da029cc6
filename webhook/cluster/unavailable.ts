/** The world did not give what a decision needs: the pod is let through, and the message says why. */
export class Unavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'Unavailable'
  }
}
