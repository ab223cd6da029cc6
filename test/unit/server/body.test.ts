import { PassThrough, Readable } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { type Body, type BodyBounds, discardRest, readBody } from '../../../webhook/server/body.ts'
import { createEnding } from '../../../webhook/server/ending.ts'

const bounds = (given: Partial<BodyBounds> = {}): BodyBounds => ({
  maxBytes: 10,
  claim: () => true,
  ending: createEnding(),
  ...given,
})

const read = (stream: Readable, given: BodyBounds): Promise<Body> =>
  new Promise((resolve) => readBody(stream, given, resolve))

describe('readBody', () => {
  test('gives all bytes, up to the bound itself', async () => {
    const body = await read(Readable.from([Buffer.from('01234'), Buffer.from('56789')]), bounds())
    expect(body.bytes?.toString()).toBe('0123456789')
    expect((await read(Readable.from([]), bounds())).bytes?.length).toBe(0)
  })

  test('stops at the first byte too many, and leaves the rest in the stream', async () => {
    let given = 0
    const endless = new Readable({
      highWaterMark: 4,
      read() {
        given += 4
        this.push(Buffer.alloc(4))
      },
    })
    expect(await read(endless, bounds())).toEqual({ loss: 'too-large' })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(given).toBeLessThanOrEqual(24)
    endless.destroy()
  })

  test('asks for room chunk by chunk', async () => {
    const asked: number[] = []
    const claim = (bytes: number): boolean => asked.push(bytes) < 2
    const stream = Readable.from([Buffer.alloc(3), Buffer.alloc(2), Buffer.alloc(1)])
    expect(await read(stream, bounds({ claim }))).toEqual({ loss: 'crowded' })
    expect(asked).toEqual([3, 2])
  })

  test.each(['late', 'crowded'] as const)('ends where the request does, %s', async (reason) => {
    const ending = createEnding()
    const reading = read(new PassThrough(), bounds({ ending }))
    ending.end(reason)
    expect(await reading).toEqual({ loss: reason })
    expect(await read(new PassThrough(), bounds({ ending }))).toEqual({ loss: reason })
  })

  test('notes that the client is gone, with or without an error', async () => {
    for (const error of [undefined, new Error('reset')]) {
      const stream = new PassThrough()
      const reading = read(stream, bounds())
      stream.write('0')
      stream.destroy(error)
      stream.on('error', () => undefined)
      expect(await reading).toEqual({ loss: 'gone' })
    }
  })

  test.each([
    ['its end', (stream: PassThrough) => void stream.end('01'), { bytes: Buffer.from('01') }],
    ['a loss', (stream: PassThrough) => void stream.end('01234567890'), { loss: 'too-large' }],
  ])('calls back once, whatever comes behind %s', async (_, end, expected) => {
    const [stream, ending, take] = [new PassThrough(), createEnding(), vi.fn<(body: Body) => void>()]
    readBody(stream, bounds({ ending }), take)
    end(stream)
    await vi.waitFor(() => expect(take).toHaveBeenCalled())
    ending.end('late')
    stream.on('error', () => undefined).destroy(new Error('reset'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(take.mock.calls).toEqual([[expected]])
  })
})

describe('discardRest', () => {
  const patience = { bytes: 100, milliseconds: 30 }

  test('is true where the rest came to an end', async () => {
    const stream = Readable.from([Buffer.alloc(50), Buffer.alloc(40)])
    expect(await discardRest(stream, patience)).toBe(true)
    expect(await discardRest(stream, patience)).toBe(true)
  })

  test('is false where it did not within the time', async () => {
    expect(await discardRest(new PassThrough(), patience)).toBe(false)
  })

  test('is false at once where the stream is or gets destroyed', async () => {
    const stream = new PassThrough()
    const discarding = discardRest(stream, { ...patience, milliseconds: 60_000 })
    stream.destroy()
    expect(await discarding).toBe(false)
    expect(await discardRest(stream, patience)).toBe(false)
  })

  test('reads no more than the bound, and waits the time out', async () => {
    let given = 0
    const endless = new Readable({
      highWaterMark: 10,
      read() {
        given += 10
        this.push(Buffer.alloc(10))
      },
    })
    const began = performance.now()
    expect(await discardRest(endless, patience)).toBe(false)
    expect(performance.now() - began).toBeGreaterThan(25)
    expect(given).toBeLessThanOrEqual(150)
    endless.destroy()
  })
})
