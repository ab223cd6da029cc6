/** The kubelet's list, read pod by pod: whatever stands in it, it says what it says as a whole. */
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PodList, parsePodList } from '../../../enforcer/core/pods.ts'
import { createListReader } from '../../../enforcer/sources/listReader.ts'
import { readRecorded } from '../../support/kernel/recordedNode.ts'

const LONGEST = 10 ** 6

const podOf = (name: string, annotations: Readonly<Record<string, string>> = {}) => ({
  metadata: { namespace: 'n', name, uid: `uid-${name}`, annotations },
  spec: { containers: [{ name: 'main' }] },
  status: { phase: 'Running' },
})
const textOf = (...items: readonly unknown[]): string =>
  `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":${JSON.stringify(items)}}\n`

/** Its metadata behind all else. */
const lastly = ({ metadata, ...others }: ReturnType<typeof podOf>) => ({ ...others, metadata })

const bodyOf = (text: string, size = 1000): Readable => {
  const bytes = Buffer.from(text)
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
  return Readable.from(pieces)
}

async function readWith(read: ReturnType<typeof createListReader>, text: string): Promise<PodList> {
  const list = await read(bodyOf(text))
  if (!list.ok) throw new Error(JSON.stringify(list.problems))
  return list.value
}

const namesOf = ({ pods }: PodList): readonly string[] => pods.map(({ id }) => id)

describe('a list that comes again', () => {
  const [a, b, c] = [podOf('a'), podOf('b'), podOf('c')]

  it('is not parsed again, in whatever order, but for what has changed', async () => {
    const read = createListReader(LONGEST)
    const first = await readWith(read, textOf(a, b, c))
    const second = await readWith(read, textOf(c, podOf('b', { 'iops-limit/limit': '5' }), a))
    expect(namesOf(second)).toEqual(['n/c', 'n/b', 'n/a'])
    expect(second.pods[0]).toBe(first.pods[2])
    expect(second.pods[1]?.admitted).not.toEqual(first.pods[1]?.admitted)
    expect(second.pods[2]).toBe(first.pods[0])
  })

  it('leaves nothing behind of what has gone', async () => {
    const read = createListReader(LONGEST)
    const first = await readWith(read, textOf(a, b))
    await readWith(read, textOf(b))
    const third = await readWith(read, textOf(a, b))
    expect(third.pods[0]).toEqual(first.pods[0])
    expect(third.pods[0]).not.toBe(first.pods[0])
    expect(third.pods[1]).toBe(first.pods[1])
  })

  it('says the same of a pod that cannot be read, wherever it stands', async () => {
    const read = createListReader(LONGEST)
    const bad = { ...podOf('bad'), status: 5 }
    const { problems } = await readWith(read, textOf(a, bad))
    expect(problems).toMatchObject([{ field: 'Pod (n/bad).status', reason: 'is a number, not a map' }])
    expect((await readWith(read, textOf(bad, c, a))).problems).toEqual(problems)
  })
})

describe('a list is read as it is as a whole', () => {
  it.each([
    ['as recorded', readRecorded('kubelet-pods.json')],
    ['in other words', JSON.stringify(JSON.parse(readRecorded('kubelet-pods.json')), undefined, 2)],
    ['without pods', textOf()],
    ['with pods of another order of fields', textOf({ kind: 'Pod', ...podOf('a') }, lastly(podOf('b')))],
    [
      'with members behind the items',
      '{"items":[{"metadata":{"namespace":"n","name":"a","uid":"u"}}],"kind":"PodList"}',
    ],
    ['with one pod twice', textOf(podOf('a'), podOf('a'))],
  ])('%s', async (_, text) => {
    const whole = parsePodList(JSON.parse(text))
    const list = await createListReader(LONGEST)(bodyOf(text))
    expect(whole.ok).toBe(true)
    expect(list).toEqual(whole)
  })

  it.each([
    ['another kind', '{"kind":"NodeList","items":[{"metadata":{}}]}', /kind/],
    ['no items', '{"kind":"PodList","items":null}', /items/],
    ['a list', '[{"items":[{"metadata":{}}]}]', /PodList/],
  ])('%s is refused', async (_, text, field) => {
    const list = await createListReader(LONGEST)(bodyOf(text))
    expect(list.ok).toBe(false)
    expect(list).toEqual(parsePodList(JSON.parse(text)))
    expect(JSON.stringify(list)).toMatch(field)
  })

  it('whatever stands in it, and however it is cut into pieces', async () => {
    const sign = fc.constantFrom(
      '},{"metadata":',
      '"items":[',
      ']}',
      '{',
      '}',
      '"',
      '\\',
      ',',
      'ä',
      '\u{1f600}',
    )
    const odd = fc.string({ unit: fc.oneof(sign, fc.string({ minLength: 1, maxLength: 3 })), maxLength: 8 })
    const inner = fc.oneof(
      odd,
      fc.jsonValue({ maxDepth: 2 }),
      fc.constant([{ metadata: {} }, { metadata: {} }]),
    )
    const item = fc.oneof(
      fc
        .record({ name: odd, other: inner })
        .map(({ name, other }) => ({ ...podOf(name, { x: name }), other })),
      fc.constantFrom(podOf('a'), podOf('b', { 'iops-limit/limit': '5' })),
      fc.jsonValue({ maxDepth: 1 }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { maxLength: 6 }),
        fc.integer({ min: 1, max: 200 }),
        async (items, size) => {
          const [read, text] = [createListReader(LONGEST), textOf(...items)]
          const whole = parsePodList(JSON.parse(text))
          for (let time = 0; time < 2; time += 1) {
            const list = await read(bodyOf(text, size))
            expect(podsOf(list)).toEqual(podsOf(whole))
            expect(reasonsOf(list)).toEqual(reasonsOf(whole))
          }
        },
      ),
    )
  })

  it.each([
    textOf(podOf('a'), podOf('b')).slice(0, -9),
    `${textOf(podOf('a'))}]}`,
    textOf(podOf('a'), podOf('b')).replace('},{"metadata"', '}},{"metadata"'),
    '{"items":[{"metadata":{}},{"metadata":]}',
    'not JSON',
    '',
  ])('%s is not JSON', async (text) => {
    await expect(createListReader(LONGEST)(bodyOf(text))).rejects.toThrow('the answer is not JSON')
  })

  it('is given up where it is longer than any list can be', async () => {
    await expect(createListReader(100)(bodyOf(textOf(podOf('a')), 10))).rejects.toThrow(
      'longer than 100 bytes',
    )
  })
})

type Read = ReturnType<typeof parsePodList>
const podsOf = (list: Read) => (list.ok ? list.value.pods : [])
const reasonsOf = (list: Read) =>
  (list.ok ? list.value.problems : list.problems).map(({ reason, value }) => [reason, value])
