import { describe, expect, it } from 'vitest'
import { createLogStream, createLogTime, type LogStream } from '../../../webhook/server/logStream.ts'

interface Scene {
  readonly stream: LogStream
  readonly written: readonly string[]
  readonly passMoment: () => void
}

function createScene(): Scene {
  const written: string[] = []
  const callbacks: (() => void)[] = []
  const stream = createLogStream({ write: (text) => void written.push(text) }, (callback) =>
    callbacks.push(callback),
  )
  return {
    stream,
    written,
    passMoment() {
      for (const callback of callbacks.splice(0)) callback()
    },
  }
}

describe('createLogStream', () => {
  it('writes lines that come together at once, in their order, a moment later', () => {
    const { stream, written, passMoment } = createScene()
    stream.write('a\n')
    stream.write('b\n')
    expect(written).toEqual([])
    passMoment()
    expect(written).toEqual(['a\nb\n'])
    stream.write('c\n')
    passMoment()
    expect(written).toEqual(['a\nb\n', 'c\n'])
  })

  it('writes what waits when it is told to, and nothing twice', () => {
    const { stream, written, passMoment } = createScene()
    stream.write('a\n')
    stream.flush()
    expect(written).toEqual(['a\n'])
    passMoment()
    stream.flush()
    expect(written).toEqual(['a\n'])
  })

  it('loses nothing that is logged while it writes', () => {
    const written: string[] = []
    const callbacks: (() => void)[] = []
    const stream: LogStream = createLogStream(
      {
        write(text) {
          written.push(text)
          if (text === 'a\n') stream.write('b\n')
        },
      },
      (callback) => callbacks.push(callback),
    )
    stream.write('a\n')
    callbacks.shift()?.()
    callbacks.shift()?.()
    expect(written).toEqual(['a\n', 'b\n'])
  })

  it('keeps the order, and every letter, of more than there is room for', () => {
    const { stream, written, passMoment } = createScene()
    const lines = ['a\n', `${'ü€😀'.repeat(5_000)}\n`, 'b\n', `${'c'.repeat(70_000)}\n`, 'd\n']
    for (const line of lines) stream.write(line)
    expect(written.join('')).toBe(lines.slice(0, -1).join(''))
    passMoment()
    expect(written.join('')).toBe(lines.join(''))
  })

  it('asks to be called back once for what waits, full or not', () => {
    const asked: (() => void)[] = []
    const stream = createLogStream({ write: () => undefined }, (callback) => asked.push(callback))
    for (let index = 0; index < 100; index += 1) stream.write(`${'x'.repeat(1000)}\n`)
    expect(asked).toHaveLength(1)
    asked[0]?.()
    stream.write('y\n')
    expect(asked).toHaveLength(2)
  })
})

describe('createLogTime', () => {
  it("writes a line's time as pino's isoTime does, once for each millisecond", () => {
    const times = [0, 0, 1_700_000_000_123, 1_700_000_000_124, 0]
    const format = createLogTime(() => times.shift() ?? Number.NaN)
    expect([format(), format(), format(), format(), format()]).toEqual([
      ',"time":"1970-01-01T00:00:00.000Z"',
      ',"time":"1970-01-01T00:00:00.000Z"',
      ',"time":"2023-11-14T22:13:20.123Z"',
      ',"time":"2023-11-14T22:13:20.124Z"',
      ',"time":"1970-01-01T00:00:00.000Z"',
    ])
  })
})
