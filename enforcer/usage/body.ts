/** Long answers, piece by piece: whatever their length, nothing else waits for longer than one piece takes. */
import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'

/** Bytes that are taken in one go: about a millisecond. */
const PIECE = 64 * 1024
/** Bytes: no kubelet's answer comes near, and something that never ends is none. */
const LONGEST = 256 * 2 ** 20

/** Feeds UTF-8 text; throws where it is longer than any answer can be, or breaks off. */
export async function feedText(body: Readable, feed: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > LONGEST) throw new Error(`the answer is longer than ${LONGEST} bytes`)
    for (let at = 0; at < chunk.length; at += PIECE) {
      feed(decoder.decode(chunk.subarray(at, at + PIECE), { stream: true }))
      await turn()
    }
  }
  feed(decoder.decode())
}
