import type { KubeClient } from '../../kube/client.ts'

/** What following something in a cluster takes. */
export interface FollowingTools {
  readonly client: KubeClient
  /** From 0 up to 1. */
  readonly random: () => number
  /** Ends early once the signal aborts, by whatever way. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}
