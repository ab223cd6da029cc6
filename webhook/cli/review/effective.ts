/** What holds for each container once admission has written its annotations. */
import { type Admitted, limitsOf, readAdmitted } from '../../../contract/admitted.ts'
import { DIMENSION_NAMES, type Scope } from '../../../contract/keys.ts'
import { DIMENSIONS, type Limits } from '../../../contract/limits.ts'
import { formatLimit } from '../../../contract/overrides.ts'
import { rootField } from '../../../contract/reader.ts'
import type { Operation } from '../../admission/patch.ts'
import { readPod } from '../../admission/pod.ts'

export interface Effective {
  /** `pod`: the containers share {@link Effective.pod}. */
  readonly scope: Scope
  /** By the name of the key: `read-iops` to `500`, `max` where it is unlimited; what is absent is not limited. */
  readonly pod: LimitTexts
  readonly containers: readonly ContainerLimits[]
}

export interface ContainerLimits {
  readonly name: string
  readonly exempt: boolean
  readonly limits: LimitTexts
}

export type LimitTexts = Readonly<Record<string, string>>

export function findEffective(pod: unknown, patch: readonly Operation[]): Effective {
  const read = readPod(rootField(pod, ''))
  const annotations = patch.reduce(applyOperation, read?.annotations ?? {})
  const names = (read?.containers ?? []).map(({ name }) => name)
  return formatEffective(readAdmitted(annotations), names)
}

export function formatEffective(admitted: Admitted, names: readonly string[]): Effective {
  return {
    scope: admitted.scope,
    pod: formatLimits(admitted.limits),
    containers: names.map((name) => {
      const exempt = admitted.exemptContainers.has(name)
      return { name, exempt, limits: exempt ? {} : formatLimits(limitsOf(admitted, name)) }
    }),
  }
}

const MAP = '/metadata/annotations'

type Annotations = Readonly<Record<string, string>>

export function applyOperation(annotations: Annotations, operation: Operation): Annotations {
  if (operation.path === MAP)
    return operation.op === 'add' && typeof operation.value === 'object' ? operation.value : {}
  const key = operation.path
    .slice(MAP.length + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
  if (operation.op === 'add' && typeof operation.value === 'string')
    return { ...annotations, [key]: operation.value }
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== key))
}

function formatLimits(limits: Limits): LimitTexts {
  const texts = DIMENSIONS.flatMap((dimension) => {
    const value = limits[dimension]
    const name = DIMENSION_NAMES[dimension].own
    return value === undefined ? [] : [[name, formatLimit(name, value)] as const]
  })
  return Object.fromEntries(texts)
}

/** `read-iops=500 write-iops=500`. */
export const formatLimitTexts = (limits: LimitTexts): string =>
  Object.entries(limits)
    .map(([name, text]) => `${name}=${text}`)
    .join(' ') || 'no limit'
