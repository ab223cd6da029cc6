import { describe, expect, it } from 'vitest'
import { createLogStream, createLogTime, type LogStream } from '../../../webhook/server/logStream.ts'

interface Scene {
  readonly stream: LogStream
  /** What the destination was given, read as late as it may write it. */
  readonly written: () => readonly string[]
  /** How much of it the destination was told to write at once. */
  readonly flushed: () => number
  readonly passMoment: () => void
}

/** `during`: called with each text as it is written. */
function createScene(during: (text: string) => void = () => undefined): Scene {
  const taken: Buffer[] = []
  const callbacks: (() => void)[] = []
  let flushed = 0
  const stream = createLogStream(
    {
      write(bytes) {
        taken.push(bytes)
        during(bytes.toString())
      },
      flushSync: () => (flushed = taken.length),
    },
    (callback) => callbacks.push(callback),
  )
  return {
    stream,
    written: () => taken.map(String),
    flushed: () => flushed,
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
    expect(written()).toEqual([])
    passMoment()
    expect(written()).toEqual(['a\nb\n'])
    stream.write('c\n')
    passMoment()
    expect(written()).toEqual(['a\nb\n', 'c\n'])
  })

  it('writes what waits when it is told to, and nothing twice', () => {
    const { stream, written, flushed, passMoment } = createScene()
    stream.write('a\n')
    stream.flush()
    expect(written()).toEqual(['a\n'])
    expect(flushed()).toBe(1)
    passMoment()
    stream.flush()
    expect(written()).toEqual(['a\n'])
  })

  it('has the destination write at once what it had before, too', () => {
    const { stream, passMoment, flushed } = createScene()
    stream.write('a\n')
    passMoment()
    expect(flushed()).toBe(0)
    stream.flush()
    expect(flushed()).toBe(1)
  })

  it('loses nothing that is logged while it writes', () => {
    const scene = createScene((text) => {
      if (text === 'a\n') scene.stream.write('b\n')
    })
    scene.stream.write('a\n')
    scene.passMoment()
    scene.passMoment()
    expect(scene.written()).toEqual(['a\n', 'b\n'])
  })

  it('keeps the order, and every letter, of more than there is room for', () => {
    const { stream, written, passMoment } = createScene()
    const lines = ['a\n', `${'ü€😀'.repeat(5_000)}\n`, 'b\n', `${'c'.repeat(70_000)}\n`, 'd\n']
    for (const line of lines) stream.write(line)
    expect(written().join('')).toBe(lines.slice(0, -1).join(''))
    passMoment()
    expect(written().join('')).toBe(lines.join(''))
  })

  it('asks to be called back once for what waits, full or not', () => {
    const asked: (() => void)[] = []
    const stream = createLogStream({ write: () => undefined, flushSync: () => undefined }, (callback) =>
      asked.push(callback),
    )
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
