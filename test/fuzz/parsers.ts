/** Every parser of the pure rooms, what it starts from, and what has to hold of whatever it is given. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { readAdmitted } from '../../contract/admitted.ts'
import { canonicalAnnotations, findRewrites } from '../../contract/aliases.ts'
import { readLimitAnnotations } from '../../contract/annotations.ts'
import { LIMIT_NAMES, limitKey } from '../../contract/keys.ts'
import {
  formatLimit,
  formatOverride,
  parseLimit,
  parseOverride,
  parseValue,
} from '../../contract/overrides.ts'
import type { Problem, Result } from '../../contract/problem.ts'
import { formatQuantity, parseQuantity, wholeNumber } from '../../contract/quantity.ts'
import { rootField } from '../../contract/reader.ts'
import { parseBytesPerSecond, parseIops } from '../../contract/values.ts'
import { parseDeviceName } from '../../enforcer/core/disk.ts'
import { parseExpositionLine, parseFloatText } from '../../enforcer/core/exposition.ts'
import { formatIoMax, parseIoMax } from '../../enforcer/core/iomax.ts'
import { findCoveringMount, parseMountinfo } from '../../enforcer/core/mountinfo.ts'
import { findContainerId, findPodUid } from '../../enforcer/core/names.ts'
import { parsePod, parsePodList } from '../../enforcer/core/pods.ts'
import { parseNodeSummary, parsePodSummary } from '../../enforcer/core/summary.ts'
import { parseThrottle } from '../../enforcer/core/throttle.ts'
import { parseIoStat, parsePressure, parseServiced } from '../../enforcer/core/usage.ts'
import { parseDuration } from '../../settings/option.ts'
import { answerReview } from '../../webhook/admission/answer.ts'
import { parseReview, parseReviewOf, readPodContent } from '../../webhook/admission/review.ts'
import { parseValidation } from '../../webhook/admission/validation.ts'
import { formatAdapted, parseAdapted } from '../../webhook/policy/adapted.ts'
import { formatLength, parseLength } from '../../webhook/policy/duration.ts'
import { parseInt64 } from '../../webhook/policy/integer.ts'
import { loadNamespaces, loadPolicies } from '../../webhook/policy/load.ts'
import { parseGlob, parseRegex } from '../../webhook/policy/pattern.ts'
import { isSelected, readSelector } from '../../webhook/policy/selector.ts'
import { parseSelectorText } from '../../webhook/policy/selectorText.ts'
import { parseDocuments } from '../../webhook/policy/yaml.ts'
import { findResponseFaults } from '../support/reviews.ts'

export interface Parser {
  readonly name: string
  readonly seeds: readonly string[]
  /** Throws where something does not hold. */
  readonly check: (text: string) => void
}

const fixture = (path: string): string =>
  readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8')
const fixturesIn = (folder: string): readonly string[] =>
  readdirSync(new URL(`../fixtures/${folder}/`, import.meta.url)).map((name) => fixture(`${folder}/${name}`))

/** Every problem says where, what and what to do. */
function checkResult(result: Result<unknown>): void {
  if (!result.ok) checkProblems(result.problems)
}

function checkProblems(problems: readonly Problem[]): void {
  ok(problems.length > 0, 'a refusal without a reason')
  for (const { reason, cure } of problems) ok(reason !== '' && cure !== '', 'a problem that says nothing')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const POLICIES = loadPolicies(fixturesIn('policies').map((text, index) => ({ name: String(index), text })))
const RULEBOOK = { policies: POLICIES.ok ? POLICIES.value : new Map(), exemptNamespaces: [] }
const GOLD = { name: 'rec', labels: { 'iops-limit/enforce': 'gold' } }

const VALUES = [
  '500',
  '0',
  'max',
  '50Mi',
  '1.5Gi',
  '1e3',
  '100m',
  '1000iops',
  '50MB/s',
  '400Mbit',
  '-5',
  '1,000',
  'unlimited',
]
const SELECTORS = [
  'app=system,env in (prod,staging),!debug',
  'a notin (b,c),d!=e,f>5,g<6,h',
  'example.com/a==b',
  '{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"c","operator":"In","values":["d"]}]}',
]
const DEVICE = '8:0'

export const PARSERS: readonly Parser[] = [
  {
    name: 'values',
    seeds: VALUES,
    check(text) {
      const iops = parseIops(text, 'limit')
      const bytes = parseBytesPerSecond(text, 'bps')
      for (const result of [iops, bytes]) checkResult(result)
      for (const name of LIMIT_NAMES) {
        const limit = parseLimit(name, text, limitKey(name))
        const alone = parseValue(name, text, limitKey(name))
        deepEqual(alone.ok ? { ok: true, value: { [name]: alone.value } } : alone, limit)
        const value = limit.ok ? limit.value[name] : undefined
        if (value !== undefined) deepEqual(parseLimit(name, formatLimit(name, value), ''), limit)
      }
      const quantity = parseQuantity(text)
      const whole = quantity && wholeNumber(quantity)
      if (whole === undefined || whole < 0n) return
      const again = parseQuantity(formatQuantity(whole))
      // Longer texts than any rate has are none.
      if (formatQuantity(whole).length <= 64) equal(again && wholeNumber(again), whole)
    },
  },
  {
    name: 'overrides',
    seeds: ['read-iops=800,write-bps=50Mi', 'limit=5', 'bps=max,limit=0', 'read-iops=1,read-iops=2'],
    check(text) {
      const parsed = parseOverride(text, 'container.iops-limit/app')
      checkResult(parsed)
      if (parsed.ok) deepEqual(parseOverride(formatOverride(parsed.value), ''), parsed)
    },
  },
  {
    name: 'annotations',
    seeds: [
      '{"iops-limit/limit":"300","iops-limit/read-bps":"50Mi","iops-limit/scope":"container"}',
      '{"container.iops-limit/app":"read-iops=5","nvme-iops":"5","kubediskguard.io/bps":"6"}',
      '{"iops-limit/policy":"gold/a","iops-limit/defaulted":"limit, bps","iops-limit/exempt-containers":"a,b"}',
    ],
    check(text) {
      const json = parseJson(text)
      if (typeof json !== 'object' || json === null) return
      const annotations = Object.fromEntries(Object.entries(json).map(([key, value]) => [key, String(value)]))
      const canonical = canonicalAnnotations(annotations)
      deepEqual(findRewrites(canonical), [])
      for (const { problems } of [readLimitAnnotations(canonical), readAdmitted(annotations)])
        if (problems.length > 0) checkProblems(problems)
    },
  },
  {
    name: 'selectors',
    seeds: SELECTORS,
    check(text) {
      const parsed = parseSelectorText(text)
      if (typeof parsed === 'string') ok(parsed !== '')
      else isSelected(parsed, { app: 'system', env: 'prod', f: '7' })
      const field = rootField(parseJson(text), 'selector')
      isSelected(readSelector(field), { a: 'b', c: 'd' })
      if (field.problems.length > 0) checkProblems(field.problems)
      const number = parseInt64(text)
      if (number !== undefined) ok(number >= -(2n ** 63n) && number < 2n ** 63n)
    },
  },
  {
    name: 'patterns',
    seeds: ['istio-proxy', '*-exporter', '*/pause:*', 'a?c*', '(a+)+b', '[a-z]+\\d{2,5}', '(?i)x|y', '\\pL*'],
    check(text) {
      const began = performance.now()
      const glob = parseGlob(text)
      if (!/[*?]/.test(text)) equal(glob.matches(text), true)
      glob.matches(`${text.slice(0, 500)}aaaaaaaaaaaaaaaa`)
      const regex = parseRegex(text.slice(0, 256))
      if (typeof regex === 'string') ok(regex !== '')
      else if (regex.size <= 500) regex.matches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')
      ok(performance.now() - began < 5000, 'a pattern that takes its time')
    },
  },
  {
    name: 'policies',
    seeds: fixturesIn('policies'),
    check(text) {
      checkResult(parseDocuments(text))
      checkResult(loadPolicies([{ name: 'a', text }]))
    },
  },
  {
    name: 'namespaces',
    seeds: [fixture('namespaces.yaml')],
    check: (text) => checkResult(loadNamespaces([{ name: 'a', text }])),
  },
  {
    name: 'reviews',
    seeds: fixturesIn('recorded/admission').map((text) => JSON.stringify(JSON.parse(text))),
    check(text) {
      const json = parseJson(text)
      const review = parseReview(json)
      checkResult(review)
      checkResult(parseValidation(json))
      checkResult(parseReviewOf(json, readPodContent))
      if (!review.ok) return
      const answer = answerReview(review.value, { ...RULEBOOK, namespace: GOLD })
      deepEqual(findResponseFaults(review.value.uid, JSON.parse(JSON.stringify(answer.body))), [])
    },
  },
  {
    name: 'durations',
    seeds: ['10s', '1h30m', '1.5h', '100ms', '5', '2.5', '1us', '3µs', '7ns'],
    check(text) {
      const duration = parseDuration(text)
      if (duration !== undefined) ok(duration >= 0, 'a time that runs backwards')
      const length = parseLength(text)
      if (length !== undefined && length > 0) equal(parseLength(formatLength(length)), length)
    },
  },
  {
    name: 'notes of the advisor',
    seeds: [
      '{"since":"2026-11-21T12:14:00.000Z","imposed":{"write-iops":"500","read-bps":"50Mi"},"replaced":{"write-iops":null,"read-bps":"1Gi"},"why":"batch: busy"}',
      '{"since":"2026-11-21T12:14:00Z","imposed":{},"replaced":{},"why":"","lifted":"2026-11-21T12:30:00Z"}',
    ],
    check(text) {
      const adapted = parseAdapted(text)
      if (adapted !== undefined) deepEqual(parseAdapted(formatAdapted(adapted)), adapted)
    },
  },
  {
    name: 'node files',
    seeds: [
      ...['mountinfo.txt', 'io.stat.v2-systemd.txt'].map((name) =>
        fixture(`recorded/node/${name}`).slice(0, 2000),
      ),
      '8:0 rbps=max wbps=1048576 riops=500 wiops=max\n',
      '8:0 500\n8:16 max\n',
      '8:0 Read 5\n8:0 Write 6\nTotal 11\n',
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n',
      'kubepods-burstable-pod0b1c2d3e_0000_4000_8000_000000000000.slice',
      `crio-${'ab'.repeat(32)}.scope`,
      '259:0',
    ],
    check(text) {
      const caps = parseIoMax(text, DEVICE)
      deepEqual(parseIoMax(formatIoMax(DEVICE, caps), DEVICE), caps)
      const cap = parseThrottle(text, DEVICE)
      if (cap !== undefined) ok(cap > 0n)
      parseIoStat(text, DEVICE)
      parseServiced(text, text, DEVICE)
      parsePressure(text)
      parseDeviceName(text)
      findCoveringMount(parseMountinfo(text), '/data')
      findContainerId(text)
      const uid = findPodUid(text)
      if (uid !== undefined) ok(/^[\w-]+$/.test(uid), 'a uid that could be a path')
    },
  },
  {
    name: 'pods of a node',
    seeds: [
      JSON.stringify(JSON.parse(fixture('recorded/node/kubelet-pods.json'))).slice(0, 12_000),
      '{"items":[]}',
    ],
    check(text) {
      const json = parseJson(text)
      checkResult(parsePodList(json))
      parsePod(json)
      parsePodSummary(json)
      parseNodeSummary(json)
    },
  },
  {
    name: 'expositions',
    seeds: [
      'container_fs_reads_total{container="a",device="/dev/sda",id="/b",pod="c"} 5 1700000000000',
      '# HELP a b\\n',
      '# TYPE a counter',
      'a{b="\\"\\\\\\n"} +Inf',
      '{"quoted name",a="b"} 1e5',
    ],
    check(text) {
      for (const line of text.split('\n')) parseExpositionLine(line)
      parseFloatText(text)
    },
  },
]
