/** The kubelet's answers as they were recorded, and what may be odd in them. */
import { describe, expect, it } from 'vitest'
import { createCadvisorBook, findGroupKey, isCadvisorCounter } from '../../../../enforcer/core/cadvisor.ts'
import { parseExpositionLine } from '../../../../enforcer/core/exposition.ts'
import { parseNodeSummary, parsePodSummary } from '../../../../enforcer/core/summary.ts'
import { readRecorded } from '../../../support/kernel/recordedNode.ts'

const PG = 'f7c90f18007e67691ad4e78459fabc05522aeb512b6e6cf162eb2b9a452abe91'
const DB = '005fc95c-aff6-4020-87fd-e1e3ffac3e9f'

function bookOf(text: string) {
  const book = createCadvisorBook()
  for (const line of text.split('\n')) {
    const parsed = parseExpositionLine(line, { wants: isCadvisorCounter })
    expect(parsed.kind).not.toBe('mistake')
    if (parsed.kind === 'sample') book.add(parsed.sample)
  }
  return book
}

describe('cAdvisor', () => {
  it('counts containers and pods by disk', () => {
    const book = bookOf(readRecorded('kubelet-metrics-cadvisor.txt'))
    expect(book.find(PG, '259:0')).toEqual({
      usage: { reads: 2n, writes: 159198n, readBytes: 8192n, writtenBytes: 652075008n },
      at: 1795227660358,
    })
    expect(book.find(DB, '259:0')).toMatchObject({ usage: { writes: 160792n, writtenBytes: 658604032n } })
    expect(book.find(DB, '254:0')).toBeUndefined()
    expect(book.find(DB, '8:0')).toBeUndefined()
    expect(book.find('nobody', '259:0')).toBeUndefined()
    expect(book.size).toBe(16)
  })

  const line = (name: string, value: string, labels = `device="/dev/sda",id="/kubepods/pod${DB}"`): string =>
    `container_fs_${name}_total{${labels}} ${value}\n`
  const NUMBER =
    'container_blkio_device_usage_total{device="/dev/sda",major="8",minor="0",operation="Read"} 5\n'
  const ALL = ['reads', 'writes', 'reads_bytes', 'writes_bytes']

  it('without times, or without a device, or with a number that is none', () => {
    expect(bookOf(NUMBER + ALL.map((name) => line(name, '7')).join('')).find(DB, '8:0')).toEqual({
      usage: { reads: 7n, writes: 7n, readBytes: 7n, writtenBytes: 7n },
      at: undefined,
    })
    for (const value of ['NaN', '+Inf', '-1']) {
      const text = NUMBER + ALL.map((name) => line(name, name === 'writes' ? value : '7')).join('')
      expect(bookOf(text).find(DB, '8:0')).toBeUndefined()
    }
    expect(bookOf(line('reads', '1', 'id="/kubepods/podx"')).size).toBe(0)
    expect(bookOf(line('reads', '1', 'device="/dev/sda"')).size).toBe(0)
    expect(
      bookOf('container_blkio_device_usage_total{device="/dev/sda"} 1\n').find(DB, '8:0'),
    ).toBeUndefined()
  })

  it('has the time of the oldest counter', () => {
    const text = NUMBER + ALL.map((name, index) => line(name, `7 ${1000 - index}`)).join('')
    expect(bookOf(text).find(DB, '8:0')?.at).toBe(997)
  })

  it('names cgroups as we do, whatever lies above', () => {
    expect(findGroupKey(`/a.slice/cri-containerd-${PG}.scope`)).toBe(PG)
    expect(findGroupKey(`/kubepods.slice/kubepods-pod${DB.replaceAll('-', '_')}.slice`)).toBe(DB)
    expect(findGroupKey('/system.slice')).toBeUndefined()
  })
})

describe('the summary', () => {
  const recorded = JSON.parse(readRecorded('kubelet-stats-summary.json')) as {
    node: unknown
    pods: unknown[]
  }

  it('tells how long pods and containers waited', () => {
    const db = recorded.pods.map(parsePodSummary).find((pod) => pod?.name === 'db')
    expect(db).toEqual({
      namespace: 'default',
      name: 'db',
      uid: DB,
      pressure: { some: 5.556604, full: 5.556604 },
      containers: new Map([
        ['proxy', { startedAt: '2026-11-21T02:20:13Z', pressure: { some: 0, full: 0 } }],
        ['pg', { startedAt: '2026-11-21T02:20:14Z', pressure: { some: 5.562178, full: 5.562178 } }],
      ]),
    })
    expect(parseNodeSummary(recorded.node)).toEqual({
      name: 'node-a',
      pressure: { some: 6.146053, full: 4.901523 },
    })
  })

  it('of a kubelet without pressure tells less', () => {
    const podRef = { namespace: 'a', name: 'b', uid: 'c' }
    expect(parsePodSummary({ podRef, containers: [{ name: 'x' }, { io: {} }] })).toEqual({
      ...podRef,
      containers: new Map([['x', {}]]),
    })
    expect(parsePodSummary({ podRef, io: { psi: { some: { total: -1 }, full: { total: 1 } } } })).toEqual({
      ...podRef,
      containers: new Map(),
    })
    expect(parseNodeSummary({ nodeName: 'n', io: 5 })).toEqual({ name: 'n' })
  })

  it.each([null, 5, [], {}, { podRef: {} }, { podRef: { namespace: 'a', name: 'b' } }])(
    'an item that names no pod is none: %j',
    (item) => {
      expect(parsePodSummary(item)).toBeUndefined()
      expect(parseNodeSummary(item)).toBeUndefined()
    },
  )
})
