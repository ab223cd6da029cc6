/** Reading of the kubelet's list, which is mostly the one of before: that one is known by its digest, and not parsed again. */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { Result } from '../../contract/problem.ts'
import { type PodList, parsePodList } from '../core/pods.ts'

export type ListReader = (body: Readable) => Promise<Result<PodList>>

/** Throws where the body is longer than so many bytes, which would take the memory of the whole program, or is not JSON. */
export function createListReader(maxBytes: number): ListReader {
  let known: { readonly digest: string; readonly list: Result<PodList> } | undefined
  return async (body) => {
    const bytes = await readBytes(body, maxBytes)
    const digest = createHash('sha256').update(bytes).digest('base64')
    if (known?.digest !== digest) known = { digest, list: parsePodList(parseJson(bytes.toString('utf8'))) }
    return known.list
  }
}

async function readBytes(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error('the answer is not JSON', { cause })
  }
}
