/** Who tells of the node's pods. */
import type { Problem } from '../../contract/problem.ts'
import type { PodList } from '../core/pods.ts'

export type SourceName = 'file' | 'kubelet' | 'apiserver'

export interface PodSource {
  readonly name: SourceName
  /** All pods of the node, as new as can be had. Throws a {@link CannotRun} where nothing can. */
  readonly read: () => Promise<PodList>
  /** Another one tells now; {@link read} begins anew. */
  readonly rest?: () => void
}

/** Nothing can be enforced, or nobody can be asked: the problems say why. */
export class CannotRun extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[], cause?: unknown) {
    super('cannot run', { cause })
    this.problems = problems
  }
}
