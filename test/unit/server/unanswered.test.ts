import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { createUnanswered } from '../../../webhook/server/unanswered.ts'

type Answer = Pick<ServerResponse, 'writableFinished'>

function createScene(longest: number) {
  let now = 0
  const unanswered = createUnanswered(longest, () => now)
  return {
    find: unanswered.find,
    /** A request on the socket, and its answer to come. */
    ask: (socket: PassThrough): { writableFinished: boolean } => {
      const answer = { writableFinished: false }
      unanswered.add({ socket } as unknown as IncomingMessage, answer as Answer as ServerResponse)
      return answer
    },
    sweepAfter: (seconds: number): void => {
      now += seconds
      unanswered.sweep()
    },
  }
}

describe('createUnanswered', () => {
  test('ends the connection whose answer is under way so long, and no sooner', () => {
    const { ask, sweepAfter } = createScene(10)
    const socket = new PassThrough()
    ask(socket)
    sweepAfter(1)
    sweepAfter(9.9)
    expect(socket.destroyed).toBe(false)
    sweepAfter(0.1)
    expect(socket.destroyed).toBe(true)
  })

  test('leaves those alone that rest, and those that ask anew', () => {
    const { ask, sweepAfter } = createScene(2)
    const [resting, busy] = [new PassThrough(), new PassThrough()]
    ask(resting).writableFinished = true
    for (let second = 0; second < 10; second += 1) {
      const answer = ask(busy)
      sweepAfter(1)
      answer.writableFinished = true
    }
    expect([resting.destroyed, busy.destroyed]).toEqual([false, false])
    ask(resting)
    sweepAfter(1)
    expect(resting.destroyed).toBe(false)
  })

  test('finds the latest answer, and forgets a connection that has ended', async () => {
    const { ask, find } = createScene(1)
    const socket = new PassThrough()
    expect(find(socket)).toBeUndefined()
    ask(socket)
    const second = ask(socket)
    expect(find(socket)).toBe(second)
    expect(socket.listenerCount('close')).toBe(1)
    socket.destroy()
    await new Promise((resolve) => setImmediate(resolve))
    expect(find(socket)).toBeUndefined()
  })
})
