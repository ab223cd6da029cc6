/** Bodies: read while bounds hold, or thrown away. */
import type { Readable } from 'node:stream'
import type { Ending, Reason } from './ending.ts'

/** `too-large`: past its own bound; `crowded`: no room among the others, or no longer; `late`: past the deadline; `gone`: so is the client. */
export type BodyLoss = 'too-large' | 'gone' | Reason

export type Body =
  | { readonly bytes: Buffer; readonly loss?: never }
  | { readonly loss: BodyLoss; readonly bytes?: never }

export interface BodyBounds {
  readonly maxBytes: number
  /** Takes room for so many more bytes. */
  readonly claim: (bytes: number) => boolean
  readonly ending: Ending
}

/**
 * Never holds more than the bounds allow: what is too much stays unread in the stream, paused. `take` is called once: by a
 * callback, since every review comes this way (later.ts).
 */
export function readBody(
  stream: Readable,
  { maxBytes, claim, ending }: BodyBounds,
  take: (body: Body) => void,
): void {
  const chunks: Buffer[] = []
  let size = 0
  let isOpen = true
  const settle = (body: Body): void => {
    if (!isOpen) return
    isOpen = false
    if (body.loss !== undefined) stream.off('data', add).pause()
    take(body)
  }
  const add = (chunk: Buffer): void => {
    size += chunk.length
    if (size > maxBytes) settle({ loss: 'too-large' })
    else if (!claim(chunk.length)) settle({ loss: 'crowded' })
    else chunks.push(chunk)
  }
  const finish = (): void => settle({ bytes: join(chunks, size) })
  const lose = (): void => settle({ loss: 'gone' })
  stream.on('data', add).on('end', finish).on('error', lose).on('close', lose)
  ending.tell((reason) => settle({ loss: reason }))
}

/** A small body comes in one chunk, which needs no copy. */
const join = (chunks: readonly Buffer[], size: number): Buffer =>
  chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)

export interface Patience {
  readonly bytes: number
  readonly milliseconds: number
}

/** Throws away what still comes; true where that was all, false where patience ended first. */
export function discardRest(stream: Readable, { bytes, milliseconds }: Patience): Promise<boolean> {
  if (stream.readableEnded || stream.destroyed) return Promise.resolve(stream.readableEnded)
  return new Promise((resolve) => {
    let size = 0
    const settle = (isAll: boolean): void => {
      clearTimeout(timer)
      stream.off('data', count).off('end', finish).off('error', lose).off('close', lose)
      resolve(isAll)
    }
    // Past the bound nothing more is read, but the client still gets the time to read its answer.
    const count = (chunk: Buffer): void => {
      size += chunk.length
      if (size > bytes) stream.pause()
    }
    const finish = (): void => settle(true)
    const lose = (): void => settle(false)
    const timer = setTimeout(lose, milliseconds)
    stream.on('data', count).on('end', finish).on('error', lose).on('close', lose).resume()
  })
}
