/** The annotation and label keys: the whole of what the two halves of the product share. */
import type { Dimension } from './limits.ts'

export const PREFIX = 'iops-limit/'
/** Prefix of the per-container overrides: `container.iops-limit/NAME`. */
export const CONTAINER_PREFIX = 'container.iops-limit/'

/** The part of a limit's key behind the prefix; also the key inside a per-container override. */
export const LIMIT_NAMES = ['limit', 'read-iops', 'write-iops', 'bps', 'read-bps', 'write-bps'] as const
export type LimitName = (typeof LIMIT_NAMES)[number]
export type IopsName = 'limit' | 'read-iops' | 'write-iops'
export type BpsName = 'bps' | 'read-bps' | 'write-bps'

export const SCOPE_KEY = 'iops-limit/scope'
export const SCOPES = ['pod', 'container'] as const
/** `pod`: the pod shares one limit. `container`: each container gets it. */
export type Scope = (typeof SCOPES)[number]

/** The mark of admission: `POLICY/RULE` that decided. */
export const POLICY_KEY = 'iops-limit/policy'
/** Names of the keys that admission filled in, comma-separated. */
export const DEFAULTED_KEY = 'iops-limit/defaulted'
/** Names of the containers left alone, comma-separated. */
export const EXEMPT_CONTAINERS_KEY = 'iops-limit/exempt-containers'
/** What the advisor imposes on the pod for what it does, why and since when: JSON on one line. */
export const ADAPTED_KEY = 'iops-limit/adapted'

/** Only admission writes these, and the advisor the last; what a user put there is replaced. */
export const WRITER_ONLY_KEYS = [POLICY_KEY, DEFAULTED_KEY, EXEMPT_CONTAINERS_KEY, ADAPTED_KEY] as const

export const ENFORCE_LABEL = 'iops-limit/enforce'
export const WARN_LABEL = 'iops-limit/warn'
export const AUDIT_LABEL = 'iops-limit/audit'

/** Written out: a key that is put together anew each time is slow to look up. */
const LIMIT_KEYS: Readonly<Record<LimitName, string>> = {
  limit: 'iops-limit/limit',
  'read-iops': 'iops-limit/read-iops',
  'write-iops': 'iops-limit/write-iops',
  bps: 'iops-limit/bps',
  'read-bps': 'iops-limit/read-bps',
  'write-bps': 'iops-limit/write-bps',
}

export const limitKey = (name: LimitName): string => LIMIT_KEYS[name]

/** For each dimension the key of its own direction, and the one for both directions, which it beats. */
export const DIMENSION_NAMES: Readonly<
  Record<Dimension, { readonly own: LimitName; readonly both: LimitName }>
> = {
  readIOPS: { own: 'read-iops', both: 'limit' },
  writeIOPS: { own: 'write-iops', both: 'limit' },
  readBPS: { own: 'read-bps', both: 'bps' },
  writeBPS: { own: 'write-bps', both: 'bps' },
}

export const isIopsName = (name: LimitName): name is IopsName =>
  name === 'limit' || name === 'read-iops' || name === 'write-iops'

/** Every key that this product owns on a pod. */
export const isOurKey = (key: string): boolean => key.startsWith(PREFIX) || key.startsWith(CONTAINER_PREFIX)
