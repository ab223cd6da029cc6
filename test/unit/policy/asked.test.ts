import { describe, expect, it } from 'vitest'
import { listedKeys } from '../../../webhook/policy/asked.ts'
import type { PodInfo } from '../../../webhook/policy/subject.ts'

const podOf = (list: string | undefined, edited?: readonly string[]): PodInfo => ({
  labels: {},
  annotations: list === undefined ? {} : { 'iops-limit/defaulted': list },
  ...(edited && { edited: new Set(edited) }),
  containers: [],
  deleting: false,
})

const listed = (...given: Parameters<typeof podOf>): readonly string[] => [...listedKeys(podOf(...given))]

describe('listedKeys', () => {
  it('are those that the list names, each once', () => {
    expect(listed(undefined)).toEqual([])
    expect(listed('')).toEqual([])
    expect(listed('read-iops, bps,read-iops')).toEqual(['iops-limit/read-iops', 'iops-limit/bps'])
  })

  it('but for those that somebody has edited, of this pod and of no other with the same list', () => {
    const list = 'read-iops,write-iops'
    const both = ['iops-limit/read-iops', 'iops-limit/write-iops']
    expect(listed(list, ['iops-limit/write-iops', 'iops-limit/bps'])).toEqual(['iops-limit/read-iops'])
    expect(listed(list, both)).toEqual([])
    expect(listed(list, [])).toEqual(both)
    expect(listed(list)).toEqual(both)
  })
})
