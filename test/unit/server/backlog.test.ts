import { describe, expect, test } from 'vitest'
import type { DecisionRecord } from '../../../webhook/admission/record.ts'
import { createBacklog } from '../../../webhook/server/backlog.ts'
import type { Observer } from '../../../webhook/server/observer.ts'

const recordOf = (uid: string): DecisionRecord => ({
  ...{ uid, operation: 'CREATE', resource: 'pods', namespace: 'team', name: 'web', dryRun: false },
  ...{ outcome: 'allowed', defaulted: [], violations: [], warnings: 0 },
})

/** What the observer was told, and moments that pass when they are told to. */
function createScene(onDecided: (uid: string) => void = () => undefined) {
  const told: string[] = []
  const callbacks: (() => void)[] = []
  const note = (what: string) => () => void told.push(what)
  const observer: Observer = {
    decided({ uid }, seconds) {
      onDecided(uid)
      told.push(`decided ${uid} ${seconds}`)
    },
    validated: ({ uid }, seconds) => void told.push(`validated ${uid} ${seconds}`),
    broken: (error) => void told.push(`broken ${String(error)}`),
    unlooked: note('unlooked'),
    rejected: note('rejected'),
    abandoned: note('abandoned'),
    tlsFailed: note('tlsFailed'),
    reloaded: note('reloaded'),
    refused: note('refused'),
  }
  const backlog = createBacklog(observer, (callback) => callbacks.push(callback))
  return {
    ...backlog,
    told,
    callbacks,
    passMoment: (): void => {
      for (const callback of callbacks.splice(0)) callback()
    },
  }
}

describe('createBacklog', () => {
  test('tells of decisions a moment later, in their order', () => {
    const { observer, told, callbacks, passMoment } = createScene()
    observer.decided(recordOf('a'), 1)
    observer.validated(recordOf('b'), 2)
    observer.decided(recordOf('c'), 3)
    expect([told, callbacks.length]).toEqual([[], 1])
    passMoment()
    expect(told).toEqual(['decided a 1', 'validated b 2', 'decided c 3'])
    observer.decided(recordOf('d'), 4)
    passMoment()
    expect(told.slice(3)).toEqual(['decided d 4'])
  })

  test('catches up when it is told to, and tells nothing twice', () => {
    const { observer, told, catchUp, passMoment } = createScene()
    observer.decided(recordOf('a'), 1)
    catchUp()
    expect(told).toEqual(['decided a 1'])
    catchUp()
    passMoment()
    expect(told).toEqual(['decided a 1'])
  })

  test('a mistake with one decision keeps none of the others back, and is told', () => {
    const { observer, told, passMoment } = createScene((uid) => {
      if (uid === 'a') throw new Error('a bug')
    })
    for (const uid of ['a', 'b']) observer.decided(recordOf(uid), 1)
    passMoment()
    expect(told).toEqual(['broken Error: a bug', 'decided b 1'])
  })

  test('tells of all else at once', () => {
    const { observer, told } = createScene()
    observer.abandoned()
    observer.tlsFailed('ERR_SSL')
    expect(told).toEqual(['abandoned', 'tlsFailed'])
  })
})
