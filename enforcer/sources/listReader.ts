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
    const { chunks, digest } = await readChunks(body, maxBytes)
    if (known?.digest !== digest)
      known = { digest, list: parsePodList(parseJson(Buffer.concat(chunks).toString('utf8'))) }
    return known.list
  }
}

interface Chunks {
  readonly chunks: readonly Buffer[]
  readonly digest: string
}

async function readChunks(body: Readable, maxBytes: number): Promise<Chunks> {
  const hash = createHash('sha256')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`)
    hash.update(chunk)
    chunks.push(chunk)
  }
  return { chunks, digest: hash.digest('base64') }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error('the answer is not JSON', { cause })
  }
}
