import { describe, expect, it } from 'vitest'
import type { Act } from '../../../webhook/advisor/core/decide.ts'
import { findEvent } from '../../../webhook/advisor/words.ts'

const act = (given: Partial<Act>): Act => ({
  kind: 'impose',
  mode: 'enforce',
  why: 'batch: write-iops 2310/s over 15m, above 800',
  changes: { set: { 'iops-limit/write-iops': '500', 'iops-limit/adapted': '{}' }, remove: [] },
  ...given,
})

describe('what the owner of a pod is told', () => {
  it.each([
    [
      act({}),
      'Warning',
      'IOLimitAdapted',
      'imposed: write-iops=500 (batch: write-iops 2310/s over 15m, above 800)',
    ],
    [
      act({ mode: 'report' }),
      ...(['Warning', 'IOLimitAdapted'] as const),
      'only reported, not imposed: write-iops=500 (batch: write-iops 2310/s over 15m, above 800)',
    ],
    [
      act({ kind: 'release', why: 'batch: calm', changes: { set: {}, remove: ['iops-limit/adapted'] } }),
      ...(['Normal', 'IOLimitReleased'] as const),
      'what was imposed is released (batch: calm)',
    ],
    [
      act({ kind: 'release', why: 'batch: calm' }),
      ...(['Normal', 'IOLimitReleased'] as const),
      'what was imposed is released, back to write-iops=500 (batch: calm)',
    ],
  ])('%#', (given, type, reason, message) => {
    expect(findEvent(given)).toEqual({ type, reason, message })
  })

  it('nothing where somebody has lifted it', () => {
    expect(findEvent(act({ kind: 'lifted' }))).toBeUndefined()
  })

  it('is no longer than an Event may be', () => {
    expect(findEvent(act({ why: 'x'.repeat(2000) }))?.message).toHaveLength(1024)
  })
})
