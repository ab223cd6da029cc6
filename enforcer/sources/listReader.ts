/**
 * Reading of the kubelet's list, of which mostly nothing has changed but the order: the kubelet walks over a map, which Go does in
 * another order each time. So each pod is known by the digest of its own text, and not parsed again.
 * Source: k8s.io/kubernetes/pkg/kubelet/pod/pod_manager.go, podsMapToPods
 */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { ok, type Result } from '../../contract/problem.ts'
import { gatherPods, type PodList, parsePod, parsePodList, type Reading } from '../core/pods.ts'

export type ListReader = (body: Readable) => Promise<Result<PodList>>

/** Throws where the body is longer than so many bytes, which would take the memory of the whole program, or is not JSON. */
export function createListReader(maxBytes: number): ListReader {
  let known: Known = new Map()
  return async (body) => {
    const bytes = await readBytes(body, maxBytes)
    const cut = cutList(bytes)
    const readings = cut && readItems(cut.items, known)
    if (readings === undefined) return parsePodList(parseJson(bytes))
    known = new Map(readings)
    const frame = parsePodList(cut?.frame)
    return frame.ok ? ok(gatherPods(readings.map(([, reading]) => reading))) : frame
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

/** The texts of a list's items, and the list without them. */
interface Cut {
  readonly frame: unknown
  readonly items: readonly Buffer[]
}

/** As Go's encoder writes a list of pods. */
const [BEGINNING, BETWEEN, END] = ['"items":[', '},{"metadata":', ']}'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
]

/**
 * Undefined where it does not look like that. Nothing is lost by a cut in a wrong place: what is JSON piece by piece, and so is its frame, is as
 * a whole the list of these pieces; and where a piece is not JSON, the whole is parsed.
 */
function cutList(bytes: Buffer): Cut | undefined {
  const first = bytes.indexOf(BEGINNING) + BEGINNING.length
  const end = bytes.lastIndexOf(END)
  if (first < BEGINNING.length || end < first || !isBlank(bytes.subarray(end + END.length))) return undefined
  const frame = tryJson(Buffer.concat([bytes.subarray(0, first), END]))
  if (frame === undefined) return undefined
  const items: Buffer[] = []
  let from = first
  for (let at = bytes.indexOf(BETWEEN, from); at !== -1; at = bytes.indexOf(BETWEEN, from)) {
    items.push(bytes.subarray(from, at + 1))
    from = at + 2
  }
  items.push(bytes.subarray(from, end))
  return { frame, items }
}

const isBlank = (bytes: Buffer): boolean => bytes.toString('utf8').trim() === ''

/** By digest: collisions cannot be made, as a pod's author might wish. */
type Known = ReadonlyMap<string, Reading>

/** With their digests; undefined where one is not JSON. */
function readItems(
  items: readonly Buffer[],
  known: Known,
): readonly (readonly [digest: string, Reading])[] | undefined {
  const readings: (readonly [string, Reading])[] = []
  for (const item of items) {
    const digest = createHash('sha256').update(item).digest('base64')
    const reading = known.get(digest) ?? readItem(item)
    if (reading === undefined) return undefined
    readings.push([digest, reading])
  }
  return readings
}

function readItem(item: Buffer): Reading | undefined {
  const pod = tryJson(item)
  return pod === undefined ? undefined : parsePod(pod)
}

/** JSON has no undefined. */
function tryJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new Error('the answer is not JSON', { cause })
  }
}
