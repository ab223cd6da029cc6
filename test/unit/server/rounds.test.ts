import { describe, expect, test } from 'vitest'
import { createRounds, type Rounds } from '../../../webhook/server/rounds.ts'

/** Rounds that come when they are told to. */
function createScene() {
  const heard: string[] = []
  const callbacks: (() => void)[] = []
  const rounds = createRounds({
    later: (callback) => callbacks.push(callback),
    onBroken: (error) => heard.push(`broken: ${String(error)}`),
  })
  /** A request's whole way. */
  const send = (name: string, { decide, answer, tell }: Rounds = rounds): void =>
    decide(() => {
      heard.push(`decide ${name}`)
      answer(() => {
        heard.push(`answer ${name}`)
        tell(() => heard.push(`tell ${name}`))
      })
    })
  return {
    rounds,
    heard,
    callbacks,
    send,
    comeRound: (): void => {
      for (const callback of callbacks.splice(0)) callback()
    },
  }
}

describe('createRounds', () => {
  test('decides all that came together, then answers all, then tells of all', () => {
    const { heard, callbacks, send, comeRound } = createScene()
    for (const name of ['a', 'b']) send(name)
    expect([heard, callbacks.length]).toEqual([[], 1])
    comeRound()
    expect(heard).toEqual(['decide a', 'decide b', 'answer a', 'answer b', 'tell a', 'tell b'])
    expect(callbacks).toHaveLength(0)
    send('c')
    comeRound()
    expect(heard.slice(6)).toEqual(['decide c', 'answer c', 'tell c'])
  })

  test('keeps no answer waiting for more decisions than 32', () => {
    const { heard, send, comeRound } = createScene()
    for (let request = 0; request < 40; request += 1) send(String(request))
    expect(heard.filter((step) => step.startsWith('answer'))).toHaveLength(32)
    comeRound()
    expect(heard).toHaveLength(120)
    expect(heard.indexOf('tell 31')).toBeLessThan(heard.indexOf('decide 32'))
  })

  test('comes round again for what came up in a step behind its own', () => {
    const { rounds, heard, callbacks, send, comeRound } = createScene()
    rounds.tell(() => send('late'))
    comeRound()
    expect([heard, callbacks.length]).toEqual([[], 1])
    comeRound()
    expect(heard).toEqual(['decide late', 'answer late', 'tell late'])
    expect(callbacks).toHaveLength(0)
  })

  test('a step that throws is told of, and keeps none of the others back', () => {
    const { rounds, heard, send, comeRound } = createScene()
    rounds.decide(() => {
      throw new Error('a bug')
    })
    send('a')
    comeRound()
    expect(heard).toEqual(['broken: Error: a bug', 'decide a', 'answer a', 'tell a'])
  })
})
