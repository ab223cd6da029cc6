import {
  CONTAINER_PREFIX,
  DIMENSION_NAMES,
  LIMIT_NAMES,
  type LimitName,
  limitKey,
  SCOPE_KEY,
  SCOPES,
  type Scope,
} from './keys.ts'
import { DIMENSIONS, type Dimension, type Limits } from './limits.ts'
import { type KeyedLimits, parseOverride, parseValue } from './overrides.ts'
import { bad, ok, type Problem, type Result } from './problem.ts'

export type Annotations = Readonly<Record<string, string>>

/** What a pod's canonical limit annotations say, with what is wrong with them; a key with a problem says nothing. */
export interface LimitAnnotations {
  readonly pod: KeyedLimits
  readonly scope?: Scope | undefined
  /** Overrides by container name. */
  readonly containers: ReadonlyMap<string, KeyedLimits>
  readonly problems: readonly Problem[]
}

/** Reads canonical keys only: aliases are rewritten before, unknown keys are somebody else's. */
export function readLimitAnnotations(annotations: Annotations): LimitAnnotations {
  const keys = Object.keys(annotations)
  if (keys.length === 0) return NO_LIMITS
  const problems: Problem[] = []
  const keep = <T>(result: Result<T>): T | undefined => {
    if (result.ok) return result.value
    problems.push(...result.problems)
    return undefined
  }
  const pod: { [name in LimitName]?: unknown } = {}
  for (const [name, key] of LIMIT_KEYS) {
    const text = annotations[key]
    const value = text === undefined ? undefined : keep(parseValue(name, text, key))
    if (value !== undefined) pod[name] = value
  }
  const scope = keep(readScope(annotations[SCOPE_KEY]))
  const containers = new Map<string, KeyedLimits>()
  for (const key of keys) {
    if (!key.startsWith(CONTAINER_PREFIX)) continue
    const override = keep(parseOverride(String(annotations[key]), key))
    if (override !== undefined) containers.set(key.slice(CONTAINER_PREFIX.length), override)
  }
  return { pod: pod as KeyedLimits, scope, containers, problems }
}

/** Of most pods. */
const NO_LIMITS: LimitAnnotations = { pod: {}, containers: new Map(), problems: [] }

const LIMIT_KEYS = LIMIT_NAMES.map((name) => [name, limitKey(name)] as const)

function readScope(text: string | undefined): Result<Scope | undefined> {
  const scope = SCOPES.find((known) => known === text)
  if (text === undefined || scope !== undefined) return ok(scope)
  return bad({
    field: SCOPE_KEY,
    value: text,
    reason: 'is not a scope',
    cure: 'write "pod" (one shared limit) or "container" (each its own)',
  })
}

/** The limit of each dimension: the key of one direction beats the key of both. */
export function resolveLimits(keyed: KeyedLimits): Limits {
  const limits: { [dimension in Dimension]?: unknown } = {}
  for (const dimension of DIMENSIONS) {
    const { own, both } = DIMENSION_NAMES[dimension]
    const value = keyed[own] ?? keyed[both]
    if (value !== undefined) limits[dimension] = value
  }
  return limits as Limits
}
