import type { Problem } from '../contract/problem.ts'
import type { Write } from './core/plan.ts'
import { writeLine } from './node/files.ts'

export interface Applied {
  readonly written: number
  /** Cgroups that ended meanwhile: nothing is left to limit. */
  readonly gone: number
  readonly failures: readonly Problem[]
}

/** Carries out every write, one after the other; one that fails stops none of the rest. */
export async function applyWrites(writes: readonly Write[]): Promise<Applied> {
  let [written, gone] = [0, 0]
  const failures: Problem[] = []
  for (const write of writes) {
    const outcome = await writeLine(write)
    if (outcome === 'written') written++
    else if (outcome === 'gone') gone++
    else failures.push(outcome)
  }
  return { written, gone, failures }
}
