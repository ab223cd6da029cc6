/** From the rows of one pod to its reading: the most that any cgroup which carries its limit did on any disk. */
import type { Admitted } from '../../contract/admitted.ts'
import { DIMENSIONS, type Dimension } from '../../contract/limits.ts'
import type { Reading } from './core/history.ts'
import type { RowUsage, UsageRow } from './page.ts'

type Told = UsageRow & { readonly usage: RowUsage }

/**
 * Undefined where no rates are told. Rows that tell none are left out of the maximum: a container that keeps crashing does not
 * hide what the others do.
 * Rows of different length are counted over the longest: what a container did in its first seconds is no spike of a minute.
 */
export function findReading(rows: readonly UsageRow[], admitted: Admitted): Reading | undefined {
  const told = findCarriers(rows, admitted).filter((row): row is Told => row.usage !== undefined)
  if (told.length === 0) return undefined
  const seconds = Math.max(...told.map(({ usage }) => usage.seconds))
  const most = (dimension: Dimension): number =>
    Math.max(
      0,
      ...told
        .filter(({ container }) => !hasOwn(admitted, container, dimension))
        .map(({ usage }) => (usage.rates[dimension] * usage.seconds) / seconds),
    )
  const [readIOPS, writeIOPS, readBPS, writeBPS] = DIMENSIONS.map(most)
  return {
    at: Math.max(...told.map(({ usage }) => usage.at)),
    seconds,
    rates: {
      readIOPS: readIOPS ?? 0,
      writeIOPS: writeIOPS ?? 0,
      readBPS: readBPS ?? 0,
      writeBPS: writeBPS ?? 0,
    },
  }
}

/** The pod's own cgroup where it shares one limit; on cgroup v1, which has no such, and in scope `container` the containers'. */
function findCarriers(rows: readonly UsageRow[], { scope, exemptContainers }: Admitted): readonly UsageRow[] {
  const whole = rows.filter(({ container }) => container === null)
  if (scope === 'pod' && whole.length > 0) return whole
  return rows.filter(({ container }) => container !== null && !exemptContainers.has(container))
}

/** An override beats the pod's limit, and so what would be imposed on the pod. */
const hasOwn = ({ overrides }: Admitted, container: string | null, dimension: Dimension): boolean =>
  container !== null && overrides.get(container)?.[dimension] !== undefined
