/** One request's way: bytes to JSON to a decision, within its bounds. */
import type { IncomingMessage } from 'node:http'
import type { Alarm } from './alarm.ts'
import { type Body, readBody } from './body.ts'
import { createEnding, type Ending } from './ending.ts'
import type { Gate } from './gate.ts'
import { findHeaderRejection } from './headers.ts'
import { type Later, proceed } from './later.ts'
import {
  type Rejection,
  rejectCrowd,
  rejectEmpty,
  rejectJson,
  rejectLate,
  rejectReview,
  rejectSize,
  rejectUtf8,
} from './rejection.ts'
import type { Reviewed, Reviewer } from './reviewer.ts'
import type { Rounds } from './rounds.ts'

export type Reviewing =
  | Extract<Reviewed, { status: 200 }>
  | { readonly status: 'rejected'; readonly rejection: Rejection }
  /** The client left before its body was here: there is nobody to answer. */
  | { readonly status: 'gone' }

export interface ReviewBounds {
  readonly maxBodyBytes: number
  /** Milliseconds; a caller may ask for less. */
  readonly longestReview: number
}

export interface ReviewDeps {
  readonly reviewer: Reviewer
  readonly gate: Gate
  readonly alarm: Alarm
  readonly rounds: Rounds
  readonly bounds: ReviewBounds
}

/**
 * Within so many milliseconds; the body is read only where the head is acceptable and there is a place. `finish` is called once;
 * where it gets a promise, that may reject.
 */
export function review(
  req: IncomingMessage,
  milliseconds: number,
  deps: ReviewDeps,
  finish: (reviewing: Later<Reviewing>) => void,
): void {
  const { gate, alarm, rounds, bounds } = deps
  const refused = findHeaderRejection(req.headers, bounds.maxBodyBytes)
  if (refused !== undefined) return finish(reject(refused))
  const ending = createEnding()
  const place = gate.enter(() => ending.end('crowded'))
  if (place === undefined) return finish(reject(rejectCrowd()))
  const callOff = alarm.set(() => ending.end('late'), milliseconds)
  const leave = (): void => {
    callOff()
    place.leave()
  }
  readBody(req, { maxBytes: bounds.maxBodyBytes, claim: place.claim, ending }, (body) => {
    place.settle()
    rounds.decide(() => {
      const reviewing = proceed(body, (whole) => reviewBody(whole, { ...deps, milliseconds, ending }))
      if (reviewing instanceof Promise) return finish(reviewing.finally(leave))
      leave()
      finish(reviewing)
    })
  })
}

const reject = (rejection: Rejection): Reviewing => ({ status: 'rejected', rejection })

/** Nobody knows when the rest of the body comes: the next request needs a connection of its own. */
const andClose = (rejection: Rejection): Rejection => ({
  ...rejection,
  headers: { ...rejection.headers, Connection: 'close' },
})

interface TimedDeps extends ReviewDeps {
  readonly milliseconds: number
  readonly ending: Ending
}

function reviewBody(body: Body, deps: TimedDeps): Later<Reviewing> {
  const { reviewer, bounds, milliseconds, ending } = deps
  if (body.loss === 'gone') return { status: 'gone' }
  if (body.loss === 'too-large') return reject(rejectSize(bounds.maxBodyBytes))
  if (body.loss === 'late') return reject(andClose(rejectLate(milliseconds)))
  if (body.loss !== undefined)
    return reject(ending.reason !== undefined ? andClose(rejectCrowd()) : rejectCrowd())
  const json = parseJson(body.bytes)
  if ('rejection' in json) return reject(json.rejection)
  const answer = reviewer.answer(json.value, milliseconds)
  return proceed(
    answer instanceof Promise ? Promise.race([answer, untilEnd(ending)]) : answer,
    (reviewed) => {
      if (reviewed === undefined) return reject(rejectLate(milliseconds))
      return reviewed.status === 400 ? reject(rejectReview(reviewed.problems)) : reviewed
    },
  )
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function parseJson(bytes: Buffer): { readonly value: unknown } | { readonly rejection: Rejection } {
  if (bytes.length === 0) return { rejection: rejectEmpty() }
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return { rejection: rejectUtf8() }
  }
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return { rejection: rejectJson(error instanceof Error ? error.message : '') }
  }
}

/** Undefined once the deadline has passed: nothing else takes a request's place now. */
const untilEnd = (ending: Ending): Promise<undefined> =>
  new Promise((resolve) => ending.tell(() => resolve(undefined)))
