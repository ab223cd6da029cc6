import { describe, expect, it } from 'vitest'
import { type ModeLabel, preview } from '../../../webhook/policy/preview.ts'
import type { PodInfo } from '../../../webhook/policy/subject.ts'
import { policiesOf, policyText } from '../../support/policies.ts'
import { podOf, subjectOf } from '../../support/subjects.ts'

const BOOK = {
  policies: policiesOf(
    policyText('gold', '{name: all, default: {iops: 500, bps: 50Mi}, max: {iops: 1000}, min: {iops: 100}}') +
      policyText('one', '{name: all, scope: pod}'),
  ),
  exemptNamespaces: ['kube-system'],
}

const effectOf = (
  label: ModeLabel,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  pod: Partial<PodInfo> = {},
) => preview(label, { namespace: subjectOf(labels, {}).namespace, pod: podOf({ ...pod, annotations }) }, BOOK)

const ADMITTED = {
  'iops-limit/read-iops': '2000',
  'iops-limit/write-iops': '2000',
  'iops-limit/policy': 'silver/all',
  'iops-limit/defaulted': 'read-iops,write-iops',
}

describe('iops-limit/enforce', () => {
  const enforce = (annotations: Readonly<Record<string, string>>, pod?: Partial<PodInfo>) =>
    effectOf('iops-limit/enforce', { enforce: 'gold' }, annotations, pod)

  it('refreshes what admission filled in', () => {
    expect(enforce(ADMITTED)).toEqual({
      change:
        'read-iops 2000 -> 500, write-iops 2000 -> 500, read-bps unlimited -> 50Mi, write-bps unlimited -> 50Mi',
      kinds: new Set(),
      complaints: [],
    })
  })

  it('limits pods without the mark for the first time, whatever they say', () => {
    expect(enforce({ 'iops-limit/limit': '700', 'iops-limit/bps': '50Mi' })?.change).toBe(
      'read-iops unlimited -> 700, write-iops unlimited -> 700, read-bps unlimited -> 50Mi, write-bps unlimited -> 50Mi',
    )
  })

  it('keeps what a user set, and tells what is wrong with it', () => {
    expect(
      enforce({
        'iops-limit/limit': '2000',
        'iops-limit/bps': '50Mi',
        'container.iops-limit/main': 'read-iops=50',
        'iops-limit/policy': 'silver/all',
      }),
    ).toEqual({
      change: '',
      kinds: new Set(['above-max', 'below-min']),
      complaints: [
        'iops-limit/limit "2000" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less',
        'container.iops-limit/main "read-iops=50" is below the min of 100 for readIOPS; write 100 or more',
      ],
    })
  })

  it('lifts the limits where no policy is in force any more', () => {
    const lifted = {
      change: 'read-iops 2000 -> unlimited, write-iops 2000 -> unlimited',
      kinds: new Set(),
      complaints: [],
    }
    expect(effectOf('iops-limit/enforce', {}, ADMITTED)).toEqual(lifted)
    expect(effectOf('iops-limit/enforce', {}, { 'iops-limit/limit': '5' })?.change).toBe('')
  })

  it('leaves alone pods that are ending, and mirrors', () => {
    expect(enforce(ADMITTED, { deleting: true })).toBeUndefined()
    expect(enforce({ 'kubernetes.io/config.mirror': 'x' })).toBeUndefined()
  })
})

describe.each(['iops-limit/warn', 'iops-limit/audit'] as const)('%s', (label) => {
  const mode = label.slice('iops-limit/'.length)

  it('judges what the user wrote', () => {
    expect(effectOf(label, { [mode]: 'gold' }, { ...ADMITTED, 'iops-limit/bps': 'x' })).toEqual({
      change: 'read-iops 500, write-iops 500',
      kinds: new Set(['invalid']),
      complaints: [
        'iops-limit/bps: "x" is not a quantity of bytes per second; write such as "50Mi" (powers of 1024) or "50M" (powers of 1000), or "max" for no limit',
      ],
    })
    expect(effectOf(label, { [mode]: 'one' }, { 'iops-limit/scope': 'container' })?.kinds).toEqual(
      new Set(['scope']),
    )
  })

  it('is silent where its policy is enforced anyway, or in effect nowhere', () => {
    const nothing = { change: '', kinds: new Set(), complaints: [] }
    expect(effectOf(label, { [mode]: 'gold', enforce: 'gold' }, {})).toEqual(nothing)
    expect(effectOf(label, { [mode]: 'none' }, {})).toEqual(nothing)
  })
})
