/** Bodies of answers as text: whole, or line by line. */
import type { Readable } from 'node:stream'

export async function readText(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

const NEWLINE = 0x0a

/** Lines without their ends, empty ones left out; a last line that is cut off is none. */
export async function* readLines(body: Readable): AsyncGenerator<string> {
  let parts: Buffer[] = []
  for await (const chunk of body as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end))
      const line = Buffer.concat(parts).toString('utf8')
      parts = []
      start = end + 1
      if (line !== '') yield line
    }
    parts.push(chunk.subarray(start))
  }
}
