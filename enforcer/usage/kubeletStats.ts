/**
 * What the kubelet tells of its node: statistics, cAdvisor's metrics, pods. Rights: get on nodes/stats, nodes/metrics and
 * nodes/pods. Source: k8s.io/kubernetes/pkg/kubelet/server/server.go
 */
import type { Readable } from 'node:stream'
import { bad, ok, type Problem, quoteValue, type Result } from '../../contract/problem.ts'
import type { KubeClient } from '../../kube/client.ts'
import {
  CADVISOR_BEGINNINGS,
  type CadvisorBook,
  createCadvisorBook,
  isCadvisorCounter,
} from '../core/cadvisor.ts'
import { parseExpositionLine } from '../core/exposition.ts'
import { createJsonSplitter } from '../core/jsonSplitter.ts'
import { createLineFinder } from '../core/lines.ts'
import { gatherPods, type PodList, parsePod, type Reading } from '../core/pods.ts'
import { type NodeSummary, type PodSummary, parseNodeSummary, parsePodSummary } from '../core/summary.ts'
import { feedBytes, feedText } from './body.ts'
import { type RetryDeps, withRetries } from './retry.ts'

export interface Summary {
  readonly node: NodeSummary | undefined
  /** By uid. */
  readonly pods: ReadonlyMap<string, PodSummary>
}

export interface CadvisorCounters {
  readonly book: CadvisorBook
  /** Lines that are none of the format: they are left out. The first few, in words. */
  readonly mistakes: readonly string[]
}

/** Each throws a KubeError where the kubelet refuses or does not answer, and an Error where its answer cannot be read. */
export interface KubeletStats {
  readonly readSummary: () => Promise<Summary>
  readonly readCadvisor: () => Promise<CadvisorCounters>
  readonly readPods: () => Promise<PodList>
}

export interface KubeletStatsDeps extends RetryDeps {
  readonly client: KubeClient
  /** Milliseconds for each attempt; 15,000 where it is left out. */
  readonly timeout?: number
}

export function createKubeletStats(deps: KubeletStatsDeps): KubeletStats {
  return {
    readSummary: () => ask(deps, '/stats/summary', readSummary),
    readCadvisor: () => ask(deps, '/metrics/cadvisor', readCadvisor),
    readPods: () => ask(deps, '/pods', readPods),
  }
}

/** What is wrong with an answer is no reason to ask for it again. */
async function ask<T>(
  deps: KubeletStatsDeps,
  path: string,
  read: (body: Readable, path: string) => Promise<Result<T>>,
): Promise<T> {
  const result = await withRetries(async () => {
    const { promise, resolve } = Promise.withResolvers<Result<T>>()
    await deps.client.request({
      method: 'GET',
      path,
      timeout: deps.timeout ?? 15_000,
      signal: deps.stopped,
      read: async (body) => resolve(await read(body, path)),
    })
    return await promise
  }, deps)
  if (result.ok) return result.value
  throw new Error(result.problems.map(({ field, reason }) => `${field}: ${reason}`).join('; '))
}

/** UTF-16 units, and bytes: the largest pod that an API server stores is 1.5 MiB, and a label's value a line. */
const [LONGEST_PART, LONGEST_LINE] = [8 * 2 ** 20, 2 ** 20]

async function readSummary(body: Readable, path: string): Promise<Result<Summary>> {
  const pods = new Map<string, PodSummary>()
  let node: NodeSummary | undefined
  const problems = await readParts(body, path, {
    node: (part) => {
      node = parseNodeSummary(part)
    },
    pods: (part) => {
      const pod = parsePodSummary(part)
      if (pod !== undefined) pods.set(pod.uid, pod)
    },
  })
  return problems.length > 0 ? bad(...problems) : ok({ node, pods })
}

async function readPods(body: Readable, path: string): Promise<Result<PodList>> {
  const readings: Reading[] = []
  let kind: unknown
  const problems = await readParts(body, path, {
    kind: (part) => {
      kind = part
    },
    items: (part) => readings.push(parsePod(part)),
  })
  if (problems.length > 0) return bad(...problems)
  return kind === 'PodList' ? ok(gatherPods(readings)) : bad(wrong(path, 'the answer is no list of pods'))
}

type Readers = Readonly<Record<string, (part: unknown) => void>>

const LISTS: ReadonlySet<string> = new Set(['pods', 'items'])

/** Parts of a JSON object, each parsed by itself. */
async function readParts(body: Readable, path: string, readers: Readers): Promise<readonly Problem[]> {
  const names = Object.keys(readers)
  const unreadable = new Set<string>()
  const splitter = createJsonSplitter({
    members: names.filter((name) => !LISTS.has(name)),
    lists: names.filter((name) => LISTS.has(name)),
    longest: LONGEST_PART,
    onPart: (name, text) => {
      const part = parseJson(text)
      if (part === undefined) unreadable.add(name)
      else readers[name]?.(part)
    },
  })
  await feedText(body, splitter.feed)
  const fault = splitter.findFault()
  return [
    ...(fault === undefined ? [] : [wrong(path, `the answer ${fault}`)]),
    ...[...unreadable].map((name) => wrong(path, `${name} in the answer is not JSON`)),
  ]
}

/** No JSON is undefined. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const MISTAKES_SHOWN = 3

async function readCadvisor(body: Readable, path: string): Promise<Result<CadvisorCounters>> {
  const book = createCadvisorBook()
  const mistakes: string[] = []
  const finder = createLineFinder({
    ...{ longest: LONGEST_LINE, beginnings: CADVISOR_BEGINNINGS, head: MISTAKES_SHOWN },
    onLine: (line) => {
      const parsed = parseExpositionLine(line, { wants: isCadvisorCounter })
      if (parsed.kind === 'sample') book.add(parsed.sample)
      else if (parsed.kind === 'mistake' && mistakes.length < MISTAKES_SHOWN)
        mistakes.push(`${quoteValue(line)} ${parsed.reason}`)
    },
  })
  await feedBytes(body, finder.feed)
  const fault = finder.findFault()
  if (fault !== undefined) return bad(wrong(path, `the answer ${fault}`))
  if (book.size === 0 && mistakes.length > 0)
    return bad(wrong(path, `the answer is no metrics: ${mistakes.join(', ')}`))
  return ok({ book, mistakes })
}

const wrong = (path: string, reason: string): Problem => ({
  field: `kubelet ${path}`,
  reason,
  cure: 'look at what answers there',
})
