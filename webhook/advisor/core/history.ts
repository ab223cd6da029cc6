/**
 * What a pod's disks did, as stretches of time with their average rates: fine for what is near, coarser for what is long ago.
 * What is doubtful (a reading told again, one that overlaps, a clock that was set) never adds to an average.
 */
import type { Dimension } from '../../../contract/limits.ts'

/** Per second. */
export type Rates = Readonly<Record<Dimension, number>>

/** The averages of one pod over one time: of its limited cgroups and disks the largest, dimension by dimension. */
export interface Reading {
  /** The end: milliseconds since 1970. */
  readonly at: number
  /** How long before that it began. */
  readonly seconds: number
  readonly rates: Rates
}

/** Never changed: each reading makes a new one. */
export interface History {
  /** Of the newest reading, in milliseconds since 1970. */
  readonly end: number
  /** Stretches, the oldest first, {@link STRIDE} numbers each: in 4 bytes a number, for there are many pods. */
  readonly stretches: Float32Array
}

/** Where a pod's story begins, and begins anew after a release. */
export const EMPTY_HISTORY: History = { end: 0, stretches: new Float32Array() }

/** Of a stretch: seconds since the end of the one before it; how many of these, the last ones, were read; the four rates. */
const [SPAN, READ, RATES, STRIDE] = [0, 1, 2, 6]

/** Seconds of one reading are rarely told twice at the same moment: less than this part of one is no news. */
const NEWS = 0.1
/** Milliseconds. A reading that is older than the newest came late; by more than this the clock was set. */
const LATE = 60_000
/** Neighbours become one where they are together no longer than this part of their age. */
const COARSENESS = 1 / 8

/** `keepMs`: how far back anybody will ask. */
export function addReading(history: History, reading: Reading, keepMs: number): History {
  const { at, seconds } = reading
  if (!isSound(reading)) return history
  const isFirst = history.stretches.length === 0
  if (isFirst || at < history.end - LATE || at - history.end > keepMs)
    return { end: at, stretches: stretchOf(reading, seconds, seconds) }
  const span = (at - history.end) / 1000
  if (span < seconds * NEWS) return history
  return {
    end: at,
    stretches: thin(history.stretches, stretchOf(reading, span, Math.min(span, seconds)), keepMs),
  }
}

const isSound = ({ at, seconds, rates }: Reading): boolean =>
  seconds > 0 &&
  [at, seconds, rates.readIOPS, rates.writeIOPS, rates.readBPS, rates.writeBPS].every(
    (value) => Number.isFinite(value) && value >= 0,
  )

const stretchOf = ({ rates }: Reading, span: number, read: number): Float32Array =>
  Float32Array.of(span, read, rates.readIOPS, rates.writeIOPS, rates.readBPS, rates.writeBPS)

/** From the newest back: what is too old goes, and what is old enough joins the one after it. */
function thin(stretches: Float32Array, newest: Float32Array, keepMs: number): Float32Array {
  const kept = new Float32Array(stretches.length + STRIDE)
  let to = stretches.length
  kept.set(newest, to)
  let age = Number(newest[SPAN])
  for (let from = to - STRIDE; from >= 0 && age < keepMs / 1000; from -= STRIDE) {
    const older = stretches.subarray(from, from + STRIDE)
    const [span, younger] = [Number(older[SPAN]), Number(kept[to + SPAN])]
    const isOne = to < stretches.length && span + younger <= (age - younger) * COARSENESS
    if (isOne) join(kept.subarray(to, to + STRIDE), older)
    else kept.set(older, (to -= STRIDE))
    age += span
  }
  return kept.slice(to)
}

function join(younger: Float32Array, older: Float32Array): void {
  const [read, before] = [Number(younger[READ]), Number(older[READ])]
  for (let rate = RATES; rate < STRIDE; rate++)
    younger[rate] = (Number(younger[rate]) * read + Number(older[rate]) * before) / (read + before)
  younger[READ] = read + before
  younger[SPAN] = Number(younger[SPAN]) + Number(older[SPAN])
}

/** This part of a time has to be read for its average to be known. */
const ENOUGH = 0.9
/** Milliseconds. Past this, and past twice its own length, the newest reading says nothing of now. */
const STALE = 180_000

/**
 * The averages over the last `overMs` up to the newest reading; undefined unless that is fresh and nine tenths of the time were
 * read.
 */
export function averageOver({ end, stretches }: History, now: number, overMs: number): Rates | undefined {
  const longest = Math.max(STALE, 2000 * Number(stretches[stretches.length - STRIDE + READ]))
  if (stretches.length === 0 || Math.abs(now - end) > longest) return undefined
  const over = overMs / 1000
  let [age, read, readIOPS, writeIOPS, readBPS, writeBPS] = [0, 0, 0, 0, 0, 0]
  for (let index = stretches.length - STRIDE; index >= 0 && age < over; index -= STRIDE) {
    const weight = Math.min(Number(stretches[index + READ]), over - age)
    readIOPS += Number(stretches[index + RATES]) * weight
    writeIOPS += Number(stretches[index + RATES + 1]) * weight
    readBPS += Number(stretches[index + RATES + 2]) * weight
    writeBPS += Number(stretches[index + RATES + 3]) * weight
    read += weight
    age += Number(stretches[index + SPAN])
  }
  if (read < over * ENOUGH) return undefined
  return {
    readIOPS: readIOPS / read,
    writeIOPS: writeIOPS / read,
    readBPS: readBPS / read,
    writeBPS: writeBPS / read,
  }
}
