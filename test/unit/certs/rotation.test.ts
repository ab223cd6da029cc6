import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KeyPair } from '../../../certs/issue.ts'
import { formatBundle, formatMaterial, type Material, parseMaterial } from '../../../certs/material.ts'
import {
  createMaterial,
  type Lifetimes,
  planRotation,
  type StepKind,
  takeStep,
} from '../../../certs/rotation.ts'

const DAY = 86_400_000
const HOUR = 3_600_000
const START = Date.parse('2026-01-01T00:00:00Z')
const NAMES = { dns: ['w.ns.svc', 'w.ns.svc.cluster.local'], ips: ['10.0.0.1'] }
const LIFETIMES: Lifetimes = { authority: 360 * DAY, leaf: 30 * DAY, overlap: DAY }

/** Weak and few: what is tested here is who signs whom, and when. */
const KEYS: readonly KeyPair[] = Array.from({ length: 6 }, () =>
  generateKeyPairSync('rsa', {
    modulusLength: 1024,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }),
)
let turn = 0
const nextKeys = (): Promise<KeyPair> => {
  const pair = KEYS[turn++ % KEYS.length]
  return pair === undefined ? Promise.reject(new Error('no keys')) : Promise.resolve(pair)
}
const effectsAt = (time: number) => ({ now: new Date(time), random: randomBytes, createKeys: nextKeys })
const make = (time: number, lifetimes = LIFETIMES): Promise<Material> =>
  createMaterial({ lifetimes, names: NAMES }, effectsAt(time))
const planAt = (material: Material, time: number, isPublished = true, names = NAMES) =>
  planRotation(material, { now: new Date(time), lifetimes: LIFETIMES, names, isPublished })
const stepAt = (kind: StepKind, material: Material, time: number): Promise<Material> =>
  takeStep(kind, material, { lifetimes: LIFETIMES, names: NAMES }, effectsAt(time))

const isSignedBy = (leaf: string, authority: string): boolean =>
  new X509Certificate(leaf).checkIssued(new X509Certificate(authority)) &&
  new X509Certificate(leaf).verify(new X509Certificate(authority).publicKey)

describe('what is due', () => {
  it('of what was just made: nothing before two thirds of the shorter life', async () => {
    const material = await make(START)
    expect(planAt(material, START)).toEqual({ kind: 'wait', until: START + 20 * DAY })
    expect(planAt(material, START + 20 * DAY - 1).kind).toBe('wait')
    expect(planAt(material, START + 20 * DAY)).toMatchObject({ kind: 'renew' })
  })

  it('a name that the leaf does not stand for', async () => {
    const material = await make(START)
    for (const dns of [['w.other.svc'], [...NAMES.dns, 'more.ns.svc']])
      expect(planAt(material, START, true, { dns, ips: [] })).toMatchObject({ kind: 'renew' })
    expect(planAt(material, START, true, { dns: [], ips: ['10.0.0.2'] })).toMatchObject({ kind: 'renew' })
    expect(planAt(material, START, true, { dns: ['w.ns.svc'], ips: [] }).kind).toBe('wait')
  })

  it('an authority follows another in three steps, each when it may', async () => {
    let time = START + 240 * DAY
    const first = await stepAt('renew', await make(START), time)
    expect(planAt(first, time)).toMatchObject({ kind: 'announce' })
    const announced = await stepAt('announce', first, time)
    expect(announced.leaf).toBe(first.leaf)
    expect(planAt(announced, time + DAY - 1)).toEqual({ kind: 'wait', until: time + DAY })
    expect(planAt(announced, time + DAY, false).kind).toBe('wait')
    expect(planAt(announced, time + DAY)).toMatchObject({ kind: 'switch' })
    const switched = await stepAt('switch', announced, (time += DAY))
    expect(isSignedBy(switched.leaf.certificate, announced.next?.certificate ?? '')).toBe(true)
    expect(formatBundle(switched).split(first.authority.certificate)).toHaveLength(2)
    expect(planAt(switched, time + DAY - 1)).toEqual({ kind: 'wait', until: time + DAY })
    expect(planAt(switched, time + DAY)).toMatchObject({ kind: 'drop' })
    const dropped = await stepAt('drop', switched, time + DAY)
    expect(dropped).toEqual({ authority: announced.next, leaf: switched.leaf })
  })

  it('everything anew where the authority has ended and none was announced', async () => {
    const material = await make(START)
    expect(planAt(material, START + 360 * DAY)).toMatchObject({ kind: 'create' })
    const anew = await stepAt('create', material, START + 360 * DAY)
    expect(anew.authority.certificate).not.toBe(material.authority.certificate)
  })

  it('one that was never published takes over when the old one ends, and not before', async () => {
    const announced = await stepAt('announce', await make(START), START + 240 * DAY)
    const fresh = await stepAt('renew', announced, START + 355 * DAY)
    expect(planAt(fresh, START + 355 * DAY, false).kind).not.toBe('switch')
    expect(planAt(fresh, START + 360 * DAY, false)).toMatchObject({ kind: 'switch' })
  })
})

describe('the material as texts', () => {
  it('is read as it was written, in each state of a rotation', async () => {
    const first = await make(START)
    const announced = await stepAt('announce', first, START + DAY)
    const switched = await stepAt('switch', announced, START + 2 * DAY)
    for (const material of [first, announced, switched]) {
      const files = formatMaterial(material)
      const read = parseMaterial(files)
      if (typeof read === 'string') throw new Error(read)
      expect(formatMaterial(read)).toEqual(files)
      expect(read.leaf.notAfter).toEqual(material.leaf.notAfter)
      expect(files['ca.crt']).toBe(formatBundle(material))
    }
  })

  it('of which something is spoilt says what', async () => {
    const files = formatMaterial(await stepAt('announce', await make(START), START))
    const other = formatMaterial(await make(START))
    const cases: readonly (readonly [Record<string, string | undefined>, string])[] = [
      [{ 'tls.crt': undefined }, 'tls.crt is missing'],
      [{ 'tls.key': '' }, 'tls.key is missing'],
      [{ 'tls.crt': 'x' }, 'tls.crt is not a certificate'],
      [{ 'tls.key': 'x' }, 'tls.key is not a private key'],
      [{ 'tls.key': other['signer.key'] }, 'tls.key is not the key of tls.crt'],
      [
        { 'signer.crt': files['tls.crt'], 'signer.key': files['tls.key'] },
        'signer.crt is not the certificate of an authority',
      ],
      [
        { 'signer.crt': other['signer.crt'], 'signer.key': other['signer.key'] },
        'tls.crt is not signed by signer.crt',
      ],
      [{ 'next.key': undefined }, 'next.key is missing'],
      [{ 'former.crt': files['signer.crt'] }, 'former.until is missing'],
      [{ 'former.crt': files['signer.crt'], 'former.until': 'soon' }, 'former.until is no point in time'],
      [{ 'former.crt': 'x', 'former.until': '2026-01-01' }, 'former.crt is not a certificate'],
    ]
    for (const [spoilt, why] of cases) {
      const given = Object.entries({ ...files, ...spoilt }).flatMap(([key, text]) =>
        text === undefined ? [] : [[key, text] as const],
      )
      expect(parseMaterial(Object.fromEntries(given))).toBe(why)
    }
  })
})

describe('a life of rotations', () => {
  const overlaps = fc.integer({ min: 2, max: 48 }).map((hours) => hours * HOUR)
  const lives = fc.record({
    overlap: overlaps,
    leaf: fc.integer({ min: 2, max: 30 }).map((days) => days * DAY),
    factor: fc.integer({ min: 3, max: 6 }),
    // Who looks how late, as a part of what the overlap allows: serving, verifying, stepping.
    lags: fc.tuple(fc.nat(45), fc.nat(45), fc.nat(90)),
  })

  it('whoever serves and whoever verifies may lag by nearly an overlap together, and still agree', async () => {
    await fc.assert(
      fc.asyncProperty(lives, async ({ overlap, leaf, factor, lags: [serves, verifies, steps] }) => {
        const lifetimes = { overlap, leaf, authority: Math.max(leaf * factor, overlap * 6) }
        const history = [{ at: START, material: await make(START, lifetimes) }]
        const last = (): Material => (history.at(-1) ?? expect.unreachable()).material
        const at = (time: number): Material =>
          (history.findLast((one) => one.at <= time) ?? history[0] ?? expect.unreachable()).material
        let time = START
        for (let steppings = 0; steppings < 14; steppings++) {
          const situation = { now: new Date(time), lifetimes, names: NAMES, isPublished: true }
          const plan = planRotation(last(), situation)
          if (plan.kind === 'wait') {
            expect(plan.until).toBeGreaterThan(time)
            time = plan.until + Math.min((leaf / 400) * steps, (overlap / 100) * steps)
            continue
          }
          expect(plan.kind).not.toBe('create')
          const material = await takeStep(plan.kind, last(), { lifetimes, names: NAMES }, effectsAt(time))
          history.push({ at: time, material })
        }
        for (const { at: moment } of history) {
          for (const later of [0, overlap / 3, overlap]) {
            const now = moment + later
            const served = at(now - (overlap * serves) / 100).leaf
            const trusted = formatBundle(at(now - (overlap * verifies) / 100))
            const authorities = trusted.match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n/g) ?? []
            expect(authorities.some((one) => isSignedBy(served.certificate, one))).toBe(true)
            expect(new X509Certificate(served.certificate).validFromDate.getTime()).toBeLessThan(now)
          }
        }
      }),
      { numRuns: 40 },
    )
  }, 60_000)
})
