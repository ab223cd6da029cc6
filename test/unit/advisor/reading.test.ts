import { describe, expect, it } from 'vitest'
import { readAdmitted } from '../../../contract/admitted.ts'
import type { UsageRow } from '../../../webhook/advisor/page.ts'
import { findReading } from '../../../webhook/advisor/reading.ts'

const admitted = (annotations: Readonly<Record<string, string>> = {}) =>
  readAdmitted({ 'iops-limit/policy': 'gold/all', ...annotations })

const row = (
  container: string | null,
  writeIOPS: number,
  { seconds = 60, at = 1000, readBPS = 0 } = {},
): UsageRow => ({
  ...{ uid: 'u', container },
  usage: { rates: { readIOPS: 0, writeIOPS, readBPS, writeBPS: 0 }, seconds, at },
})

const writesOf = (rows: readonly UsageRow[], annotations?: Readonly<Record<string, string>>) =>
  findReading(rows, admitted(annotations))?.rates.writeIOPS

describe('the reading of a pod', () => {
  it("is of the pod's own cgroup, where all of it shares one limit: of the busiest disk", () => {
    expect(writesOf([row(null, 300), row(null, 900), row('a', 2000)])).toBe(900)
  })

  it('takes each dimension for itself', () => {
    expect(findReading([row(null, 300), row(null, 0, { readBPS: 7, at: 900 })], admitted())).toEqual({
      ...{ at: 1000, seconds: 60 },
      rates: { readIOPS: 0, writeIOPS: 300, readBPS: 7, writeBPS: 0 },
    })
  })

  it("is of the containers in scope container, and on cgroup v1, where no pod's cgroup throttles", () => {
    expect(
      writesOf([row(null, 900), row('a', 300), row('b', 500)], { 'iops-limit/scope': 'container' }),
    ).toBe(500)
    expect(writesOf([row('a', 300), row('b', 500)])).toBe(500)
  })

  it('leaves exempt containers out', () => {
    const annotations = { 'iops-limit/exempt-containers': 'b' }
    expect(writesOf([row(null, 900), row('a', 300), row('b', 500)], annotations)).toBe(300)
    expect(findReading([row('b', 500)], admitted(annotations))).toBeUndefined()
  })

  it('leaves a container out in those dimensions in which it has a limit of its own', () => {
    const annotations = { 'iops-limit/scope': 'container', 'container.iops-limit/a': 'write-iops=50' }
    expect(findReading([row('a', 900, { readBPS: 8 }), row('b', 300)], admitted(annotations))?.rates).toEqual(
      {
        ...{ readIOPS: 0, writeIOPS: 300, readBPS: 8, writeBPS: 0 },
      },
    )
    expect(writesOf([row('a', 900)], annotations)).toBe(0)
  })

  it('is there though one container tells no rates', () => {
    expect(writesOf([{ uid: 'u', container: 'a' }, row('b', 300)], { 'iops-limit/scope': 'container' })).toBe(
      300,
    )
  })

  it('is not there where none tells any', () => {
    expect(findReading([{ uid: 'u', container: null }, row('a', 9)], admitted())).toBeUndefined()
    expect(findReading([], admitted())).toBeUndefined()
  })

  it('counts the first seconds of a container over the whole minute: they are no spike of it', () => {
    const rows = [row('a', 100), row('new', 1200, { seconds: 6 })]
    expect(findReading(rows, admitted({ 'iops-limit/scope': 'container' }))).toMatchObject({
      ...{ seconds: 60, rates: { writeIOPS: 120 } },
    })
  })
})
