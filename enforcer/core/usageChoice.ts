/** Whose counts are taken: each source is asked in order, and why one was passed over is kept. */
import type { UsageSource } from './rates.ts'
import type { Usage } from './usage.ts'

/** What one source offers for a cgroup and a disk. */
export type Offer =
  | {
      readonly usage: Usage
      /** Milliseconds since 1970, where it was not read right now. */
      readonly at?: number
    }
  /** Why it offers nothing, as a sentence. */
  | { readonly reason: string }

export type Ask = () => Offer

export interface Choice {
  /** Undefined where no source counts. */
  readonly chosen: { readonly source: UsageSource; readonly usage: Usage; readonly at?: number } | undefined
  /** Of the sources that come before the chosen one, each with its name: `kubelet summary: ...`. */
  readonly passedOver: readonly string[]
}

const NAMES: Readonly<Record<UsageSource, string>> = {
  summary: 'kubelet summary',
  cadvisor: 'kubelet cAdvisor',
  cgroup: 'cgroup files',
}

/** Sources after the chosen one are not asked. */
export function findUsage(sources: readonly (readonly [UsageSource, Ask])[]): Choice {
  const passedOver: string[] = []
  for (const [source, ask] of sources) {
    const offer = ask()
    if (!('reason' in offer)) return { chosen: { source, ...offer }, passedOver }
    passedOver.push(`${NAMES[source]}: ${offer.reason}`)
  }
  return { chosen: undefined, passedOver }
}
