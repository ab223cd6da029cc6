/**
 * The life of the material: what is due next, and how it is done. A leaf is renewed at two thirds of its life. An authority
 * follows another in three steps, so that whoever serves and whoever verifies may lag: the new one is announced (both are
 * trusted, the old one signs), takes over (both are trusted, the new one signs), and the old one is dropped.
 */
import { X509Certificate } from 'node:crypto'
import type { Authority, IssueEffects, KeyPair } from './issue.ts'
import { AUTHORITY_BITS, LEAF_BITS } from './keys.ts'
import type { Leaf, Material } from './material.ts'
import type { Names } from './names.ts'
import { CLOCK_SKEW } from './validity.ts'

/** Milliseconds. */
export interface Lifetimes {
  readonly authority: number
  readonly leaf: number
  /** How long two authorities are trusted, before the new one signs and after. */
  readonly overlap: number
}

export interface Situation {
  readonly now: Date
  readonly lifetimes: Lifetimes
  /** For which the leaf has to stand. */
  readonly names: Names
  /** Everyone who verifies has been given the bundle as it is. */
  readonly isPublished: boolean
}

export type StepKind = 'create' | 'renew' | 'announce' | 'switch' | 'drop'

/** `wait`: nothing before that time, in milliseconds since 1970. */
export type Plan = { readonly kind: StepKind } | { readonly kind: 'wait'; readonly until: number }

export function planRotation(material: Material, situation: Situation): Plan {
  const now = situation.now.getTime()
  const dues = findDues(material, situation)
  const [due] = dues.filter(({ at }) => at <= now)
  return due ?? { kind: 'wait', until: Math.min(...dues.map(({ at }) => at)) }
}

interface Due {
  readonly kind: StepKind
  readonly at: number
}

/** The most urgent first, should several be due. */
function findDues({ authority, next, former, leaf }: Material, situation: Situation): readonly Due[] {
  const { lifetimes, isPublished, names } = situation
  const end = authority.notAfter.getTime()
  return [
    next === undefined
      ? { kind: 'create', at: end }
      : {
          kind: 'switch',
          at: isPublished ? Math.min(bornAt(next.certificate) + lifetimes.overlap, end) : end,
        },
    { kind: 'renew', at: standsFor(leaf.certificate, names) ? findRenewal(leaf.certificate) : 0 },
    ...(former === undefined ? [] : [{ kind: 'drop', at: former.until.getTime() } as const]),
    ...(next === undefined && former === undefined
      ? [{ kind: 'announce', at: findRenewal(authority.certificate) } as const]
      : []),
  ]
}

/** The beginning of a certificate's life is dated back: this is when it was made. */
const bornAt = (certificate: string): number =>
  new X509Certificate(certificate).validFromDate.getTime() + CLOCK_SKEW

function findRenewal(certificate: string): number {
  const born = bornAt(certificate)
  return born + ((new X509Certificate(certificate).validToDate.getTime() - born) * 2) / 3
}

const standsFor = (certificate: string, { dns, ips }: Names): boolean => {
  const x509 = new X509Certificate(certificate)
  return (
    dns.every((name) => x509.checkHost(name, { subject: 'never' }) !== undefined) &&
    ips.every((ip) => x509.checkIP(ip) !== undefined)
  )
}

export interface StepEffects extends IssueEffects {
  readonly createKeys: (bits: number) => Promise<KeyPair>
}

type Request = Pick<Situation, 'lifetimes' | 'names'>

/** For the very first time, and where there is nothing to go on from. */
export async function createMaterial(request: Request, effects: StepEffects): Promise<Material> {
  const authority = await createAuthority(request, effects)
  return { authority, leaf: await createLeaf(authority, request, effects) }
}

export async function takeStep(
  kind: StepKind,
  material: Material,
  request: Request,
  effects: StepEffects,
): Promise<Material> {
  const { authority, next, former, leaf } = material
  switch (kind) {
    case 'create':
      return await createMaterial(request, effects)
    case 'renew':
      return { ...material, leaf: await createLeaf(authority, request, effects) }
    case 'announce':
      return { ...material, next: await createAuthority(request, effects) }
    case 'drop':
      return { authority, leaf, ...(next && { next }) }
    case 'switch': {
      if (next === undefined) return material
      const until = new Date(effects.now.getTime() + request.lifetimes.overlap)
      const outgoing = former ?? { certificate: authority.certificate, until }
      return { authority: next, leaf: await createLeaf(next, request, effects), former: outgoing }
    }
  }
}

const DAY = 86_400_000

/** Loaded by whoever takes a step, once in months: node-forge takes 5 MiB, and most replicas never need it. */
const loadIssuer = () => import('./issue.ts')

async function createAuthority({ lifetimes }: Request, effects: StepEffects): Promise<Authority> {
  const { issueAuthority } = await loadIssuer()
  return issueAuthority(lifetimes.authority / DAY, await effects.createKeys(AUTHORITY_BITS), effects)
}

async function createLeaf(
  authority: Material['authority'],
  { lifetimes, names }: Request,
  effects: StepEffects,
): Promise<Leaf> {
  const { issueLeaf } = await loadIssuer()
  const keys = await effects.createKeys(LEAF_BITS)
  const days = lifetimes.leaf / DAY
  return { ...issueLeaf({ names, days }, keys, authority, effects), key: keys.privateKey }
}
