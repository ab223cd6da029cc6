import { describe, expect, test } from 'vitest'
import { createEnding } from '../../../webhook/server/ending.ts'

describe('createEnding', () => {
  test('tells its end once, and the first reason counts', () => {
    const ending = createEnding()
    const heard: string[] = []
    ending.tell((reason) => heard.push(reason))
    expect([ending.reason, heard]).toEqual([undefined, []])
    ending.end('late')
    ending.end('crowded')
    expect([ending.reason, heard]).toEqual(['late', ['late']])
  })

  test('tells whoever asks last, at once where the end has come', () => {
    const ending = createEnding()
    const heard: string[] = []
    ending.tell(() => heard.push('first'))
    ending.tell(() => heard.push('second'))
    ending.end('crowded')
    ending.tell((reason) => heard.push(`third: ${reason}`))
    expect(heard).toEqual(['second', 'third: crowded'])
  })

  test('comes unheard where nobody asked', () => {
    const ending = createEnding()
    ending.end('late')
    expect(ending.reason).toBe('late')
  })
})
