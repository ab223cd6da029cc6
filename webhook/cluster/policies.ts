/** The cluster's policies, as a followed collection tells them: each parsed once for each version of its spec. */
import type { Problem } from '../../contract/problem.ts'
import { rootField } from '../../contract/reader.ts'
import type { CollectionEvents } from '../../kube/follow.ts'
import type { ChangeType } from '../../kube/messages.ts'
import { readPolicy } from '../policy/parse.ts'
import type { Policy, PolicySet } from '../policy/policy.ts'
import { type FoundCondition, readCondition } from './condition.ts'
import { type Metadata, readMetadata } from './metadata.ts'

export const POLICY_CRD = 'iolimitpolicies.policy.iops-limit'
export const POLICIES_PATH = '/apis/policy.iops-limit/v1alpha1/iolimitpolicies'

/** What we think of one version of a policy object. */
export interface Judgement extends Metadata {
  /** Empty: it is in force. */
  readonly problems: readonly Problem[]
  /** What its status says so far. */
  readonly found: FoundCondition | undefined
}

export interface PolicyCacheDeps {
  readonly onChange: () => void
  /** For each object that is listed or changed. */
  readonly onJudged: (judgement: Judgement) => void
}

export interface PolicyCache extends CollectionEvents {
  /** In force; another map after each change. A policy whose spec has not changed is the same object in it. */
  readonly current: PolicySet
  /** Objects whose present spec is not in force. */
  readonly refused: number
}

/** One object: its present spec as it was judged, and the policy that is in force for it. */
interface Entry {
  readonly uid: string
  readonly generation: number
  readonly problems: readonly Problem[]
  /** The last version that was right, since this process began; undefined: there was none. */
  readonly policy: Policy | undefined
}

/** A spec that is wrong is not in force, and the last right one of the same object stays: nobody loses limits by a slip. */
export function createPolicyCache({ onChange, onJudged }: PolicyCacheDeps): PolicyCache {
  let entries: ReadonlyMap<string, Entry> = new Map()
  let current: PolicySet = new Map()
  const judge = (object: unknown): readonly [string, Entry] => {
    const metadata = readMetadata(object)
    const entry = findEntry(object, metadata, entries.get(metadata.name))
    onJudged({ ...metadata, problems: entry.problems, found: readCondition(object) })
    return [metadata.name, entry]
  }
  const enforce = (next: ReadonlyMap<string, Entry>): void => {
    entries = next
    current = new Map(
      [...next].flatMap(([name, { policy }]) => (policy === undefined ? [] : [[name, policy]])),
    )
    onChange()
  }
  return {
    get current() {
      return current
    },
    get refused() {
      return [...entries.values()].filter(({ problems }) => problems.length > 0).length
    },
    listed: (items) => enforce(new Map(items.map(judge))),
    changed(type: ChangeType, item) {
      if (type !== 'DELETED') {
        const [name, entry] = judge(item)
        // A status that was written, by us or another, is no news: the spec is the one that was judged.
        if (entries.get(name) !== entry) enforce(new Map([...entries, [name, entry]]))
        return
      }
      const { name } = readMetadata(item)
      enforce(new Map([...entries].filter(([known]) => known !== name)))
    },
  }
}

function findEntry(
  object: unknown,
  { uid, generation }: Pick<Metadata, 'uid' | 'generation'>,
  known: Entry | undefined,
): Entry {
  const before = known?.uid === uid ? known : undefined
  if (before?.generation === generation) return before
  const field = rootField(object, '')
  const policy = readPolicy(field)
  return { uid, generation, problems: field.problems, policy: policy ?? before?.policy }
}
