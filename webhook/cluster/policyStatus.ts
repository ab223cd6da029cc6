/**
 * Writes the verdict on each policy into its status. Any replica may: they say the same, the first one has it, and none
 * contradicts another for long, since each replica corrects one version of a spec only once.
 */
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/error.ts'
import { POLICY_API_VERSION, POLICY_KIND } from '../policy/parse.ts'
import { type Condition, formatCondition, isSaid } from './condition.ts'
import { type Judgement, POLICIES_PATH } from './policies.ts'

export const STATUS_FIELD_MANAGER = 'iops-limit-webhook-status'

export interface PolicyStatusDeps {
  readonly client: KubeClient
  readonly now: () => Date
  /** From 0 up to 1. */
  readonly random: () => number
  /** Ends early once the signal aborts, by whatever way. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  /** A status could not be written; it is tried again. */
  readonly onFailed: (error: unknown) => void
}

export interface PolicyStatus {
  readonly judged: (judgement: Judgement) => void
  /** Until stopped; never rejects. */
  readonly run: (stopped: AbortSignal) => Promise<void>
}

/** Milliseconds, by chance: meanwhile another replica may have written it. */
const SHORTEST_WAIT = 200
const LONGEST_WAIT = 1200
/** Doubled with each failure in a row. */
const WAIT_AFTER_FAILURE = 5000
const LONGEST_WAIT_AFTER_FAILURE = 300_000

export function createPolicyStatus(deps: PolicyStatusDeps): PolicyStatus {
  const pending = new Map<string, Judgement>()
  const settled = new Map<string, string>()
  const isStopped = (signal: AbortSignal): boolean => signal.aborted
  return {
    judged(judgement) {
      const { name, found } = judgement
      // Somebody else's other words on a version that we have spoken about stay: two that differ would never end.
      if (found !== undefined && settled.get(name) === versionOf(judgement)) pending.delete(name)
      else pending.set(name, judgement)
    },
    async run(stopped) {
      let failures = 0
      while (!isStopped(stopped)) {
        const wait = SHORTEST_WAIT + (LONGEST_WAIT - SHORTEST_WAIT) * deps.random()
        await deps.sleep(findPause(failures) + wait, stopped).catch(() => undefined)
        if (isStopped(stopped)) return
        const hasFailed = await writePending(deps, pending, settled)
        failures = hasFailed ? failures + 1 : 0
      }
    },
  }
}

const findPause = (failures: number): number =>
  failures === 0 ? 0 : Math.min(WAIT_AFTER_FAILURE * 2 ** (failures - 1), LONGEST_WAIT_AFTER_FAILURE)

const versionOf = ({ uid, generation }: Judgement): string => `${uid}/${generation}`

/** Gives whether something is left to try again. */
async function writePending(
  deps: PolicyStatusDeps,
  pending: Map<string, Judgement>,
  settled: Map<string, string>,
): Promise<boolean> {
  let hasFailed = false
  for (const [name, judgement] of [...pending]) {
    pending.delete(name)
    try {
      await writeStatus(deps, judgement)
      settled.set(name, versionOf(judgement))
    } catch (error) {
      // Changed or gone meanwhile: the watch brings what it is now.
      if (isKubeError(error, 'Conflict', 'NotFound')) continue
      if (!pending.has(name)) pending.set(name, judgement)
      deps.onFailed(error)
      hasFailed = true
    }
  }
  return hasFailed
}

async function writeStatus({ client, now }: PolicyStatusDeps, judgement: Judgement): Promise<void> {
  const { name, generation, problems, found } = judgement
  const condition = formatCondition(problems, generation, { found, now: now() })
  if (isSaid(condition, found)) return
  await client.request({
    method: 'PATCH',
    path: `${POLICIES_PATH}/${encodeURIComponent(name)}/status`,
    query: { fieldManager: STATUS_FIELD_MANAGER, force: 'true' },
    contentType: 'application/apply-patch+yaml',
    body: formatStatus(judgement, condition),
  })
}

/** With uid and resourceVersion as preconditions: the verdict is on that version and no other. */
const formatStatus = ({ name, uid, resourceVersion }: Judgement, condition: Condition): object => ({
  apiVersion: POLICY_API_VERSION,
  kind: POLICY_KIND,
  metadata: { name, uid, resourceVersion },
  status: { conditions: [condition] },
})
