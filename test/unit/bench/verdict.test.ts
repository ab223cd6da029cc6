import { describe, expect, it } from 'vitest'
import type { Sample } from '../../../bench/soak/slope.ts'
import { judge, type Soaked } from '../../../bench/soak/verdict.ts'

const sample = (hours: number, rss = 100, handles = 20): Sample => ({ hours, rss, heap: 30, handles })

const soaked = (more: Partial<Soaked> = {}): Soaked => ({
  loads: [{ name: 'reviews', answers: 1000, failures: [] }],
  changes: { policy: 3, 'replica killed': 2 },
  samples: [0, 0.1, 0.2, 0.3].map((hours) => sample(hours)),
  rest: [sample(0, 90, 9), sample(0.3, 95, 12)],
  complaints: '',
  ...more,
})

describe('a soak', () => {
  it('passes where all stays level, and says what it saw', () => {
    expect(judge(soaked())).toEqual({
      passed: true,
      lines: [
        'changes: policy 3, replica killed 2',
        'reviews: 1000 answered, 0 failed, 0 went down with whom they were sent to',
        'RSS 90 MiB at rest, 100 to 100 under load, 95 MiB at rest again; 0.0 MiB an hour',
        'heap in use: 0.0 MiB an hour',
        'handles 9 at rest, 20 to 20 under load, 12 at rest again',
      ],
    })
  })

  it('forgives what went down with a replica, and nothing else', () => {
    const load = (isExcused: boolean) => [
      { name: 'reviews', answers: 1, failures: [{ why: 'socket hang up', isExcused }] },
    ]
    expect(judge(soaked({ loads: load(true) }))).toMatchObject({ passed: true })
    const { passed, lines } = judge(soaked({ loads: load(false) }))
    expect(passed).toBe(false)
    expect(lines).toContain('FAILED ADMISSION: reviews: socket hang up')
  })

  it.each([
    [
      { samples: [0, 0.1, 0.2, 0.3].map((hours) => sample(hours, 100 + 50 * hours)) },
      'LEAK: RSS grows by more than 20 MiB an hour',
    ],
    [{ rest: [sample(0, 90, 9), sample(0.3, 95, 30)] as const }, 'LEAK: 21 more handles at rest than before'],
    [{ complaints: 'MaxListenersExceededWarning: 11' }, 'LEAK: listeners: MaxListenersExceededWarning'],
  ])('fails on %j', (more, line) => {
    const { passed, lines } = judge(soaked(more))
    expect(passed).toBe(false)
    expect(lines).toContain(line)
  })

  it('too short for a slope does not fail by one, and complaints are told', () => {
    const samples = [0, 0.01, 0.02, 0.03].map((hours) => sample(hours, 100 + 5000 * hours))
    const { passed, lines } = judge(soaked({ samples, complaints: 'ExperimentalWarning: x\n' }))
    expect(passed).toBe(true)
    expect(lines).toContain('heap in use: 0.0 MiB an hour, in too short a time to tell')
    expect(lines).toContain('replicas complained: ExperimentalWarning: x')
  })
})
