/** Long answers, piece by piece: whatever their length, nothing else waits for longer than one piece takes. */
import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'

/** Bytes that are taken in one go: about a millisecond. */
const PIECE = 64 * 1024
/** Bytes: no kubelet's answer comes near, and something that never ends is none. */
const LONGEST = 256 * 2 ** 20

/** Throws where it is longer than any answer can be, or breaks off. */
export async function feedBytes(body: Readable, feed: (bytes: Buffer) => void): Promise<void> {
  let [length, sinceTurn] = [0, 0]
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > LONGEST) throw new Error(`the answer is longer than ${LONGEST} bytes`)
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = chunk.subarray(at, at + PIECE)
      feed(piece)
      sinceTurn += piece.length
      if (sinceTurn < PIECE) continue
      sinceTurn = 0
      await turn()
    }
  }
}

/** The same, of UTF-8 text. */
export async function feedText(body: Readable, feed: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  await feedBytes(body, (bytes) => feed(decoder.decode(bytes, { stream: true })))
  feed(decoder.decode())
}
