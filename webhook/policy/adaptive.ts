/** The block `adaptive` of a rule. */
import { DIMENSIONS } from '../../contract/limits.ts'
import {
  childOf,
  type Field,
  fieldIn,
  isAbsent,
  pathOf,
  readList,
  readStrictMap,
  readString,
  refuse,
} from '../../contract/reader.ts'
import { type Block, boundsOf, complainIfAbove, readBlock, type Stated } from './bounds.ts'
import { parseLength } from './duration.ts'
import type { Adaptive, AdaptiveWindow } from './policy.ts'

/** Of the rule: what is imposed has to lie between. */
interface RuleBlocks {
  readonly max: Block
  readonly min: Block
}

const MODES = ['enforce', 'report'] as const

const MINUTE = 60_000
const HOLD = 15 * MINUTE
const RELEASE = { below: 0.5, for: 10 * MINUTE }
const SHORTEST = 10_000
const LONGEST = 24 * 60 * MINUTE

/** Undefined where the rule has none; with problems noted, what it gives may lack anything. */
export function readAdaptive(field: Field, blocks: RuleBlocks): Adaptive | undefined {
  if (isAbsent(field)) return undefined
  const map = readStrictMap(field, ['mode', 'windows', 'hold', 'release'])
  if (map === undefined) return undefined
  const at = (key: string): Field => childOf(field, map, key)
  return {
    mode: readMode(at('mode')),
    windows: readWindows(at('windows'), blocks),
    hold: isAbsent(at('hold')) ? HOLD : readLength(at('hold')),
    release: readRelease(at('release')),
  }
}

function readMode(field: Field): Adaptive['mode'] {
  const mode = MODES.find((known) => known === field.value)
  if (mode === undefined && !isAbsent(field)) refuse(field, 'is not a mode', 'write enforce or report')
  return mode ?? 'enforce'
}

/** More of them tell nobody more, and each is looked at for each pod. */
const MOST_WINDOWS = 8

function readWindows(field: Field, blocks: RuleBlocks): readonly AdaptiveWindow[] {
  const items = readList(field) ?? []
  if (Array.isArray(field.value) && items.length === 0) refuse(field, 'is empty', 'write at least one window')
  if (items.length > MOST_WINDOWS)
    refuse(field, `has ${items.length} windows`, `leave at most ${MOST_WINDOWS} of them`)
  const lengths = new Set<number>()
  const windows = items.flatMap((item) => {
    const window = readWindow(item, blocks)
    if (window === undefined) return []
    // One that could not be read has been told of already.
    if (window.over > 0 && lengths.has(window.over))
      refuse(
        fieldIn(item, 'over', window.text),
        'is as long as an earlier window',
        'give each its own length',
      )
    lengths.add(window.over)
    return [window]
  })
  return windows.toSorted((a, b) => a.over - b.over)
}

function readWindow(field: Field, blocks: RuleBlocks): AdaptiveWindow | undefined {
  const map = readStrictMap(field, ['over', 'above', 'limit'])
  if (map === undefined) return undefined
  const at = (key: string): Field => childOf(field, map, key)
  const [over, above, limit] = [readLength(at('over')), readSome(at('above')), readSome(at('limit'))]
  for (const dimension of DIMENSIONS) {
    const imposed = limit[dimension]
    complainIfAbove(imposed, above[dimension], `the threshold of ${dimension}`)
    complainIfAbove(imposed, blocks.max[dimension], `the max of ${dimension}`)
    complainIfBelow(imposed, blocks.min[dimension], `the min of ${dimension}`)
  }
  return { over, text: String(at('over').value), above: boundsOf(above), limit: boundsOf(limit) }
}

/** A block that has to state something. */
function readSome(field: Field): Block {
  if (isAbsent(field)) refuse(field, 'is missing', STATE)
  const before = field.problems.length
  const block = readBlock(field)
  if (!isAbsent(field) && field.problems.length === before && Object.keys(block).length === 0)
    refuse(field, 'states nothing', STATE)
  return block
}

const STATE = 'write one or more of iops, readIOPS, writeIOPS, bps, readBPS, writeBPS'

function complainIfBelow(high: Stated | undefined, low: Stated | undefined, name: string): void {
  if (high === undefined || low === undefined || low.value <= high.value) return
  refuse(
    high.field,
    `is below ${name}, ${String(low.field.value)} at ${pathOf(low.field)}`,
    'raise it or lower the other',
  )
}

/** Milliseconds; 0 where it could not be read. */
function readLength(field: Field): number {
  const text = readString(field)
  if (text === undefined) return 0
  const length = parseLength(text)
  if (length === undefined) refuse(field, 'is not a length of time', 'write such as 90s, 15m or 1h30m')
  else if (length < SHORTEST || length > LONGEST)
    refuse(field, 'is not between 10s and 24h', 'write such as 90s, 15m or 1h30m')
  else return length
  return 0
}

function readRelease(field: Field): Adaptive['release'] {
  const map = isAbsent(field) ? {} : (readStrictMap(field, ['below', 'for']) ?? {})
  const [below, length] = [childOf(field, map, 'below'), childOf(field, map, 'for')]
  return {
    below: isAbsent(below) ? RELEASE.below : readFraction(below),
    for: isAbsent(length) ? RELEASE.for : readLength(length),
  }
}

function readFraction(field: Field): number {
  const { value } = field
  if (typeof value === 'number' && value > 0 && value < 1) return value
  refuse(field, 'is not a fraction between 0 and 1', 'write such as 0.5: half of what is imposed')
  return RELEASE.below
}
