/** Lifts every limit of every pod on the disks: before an uninstallation. Goes by the tree, for no list knows what was left. */
import type { Problem } from '../contract/problem.ts'
import { applyWrites } from './apply.ts'
import { filesOf, planWrites } from './core/plan.ts'
import { readFiles } from './node/files.ts'
import { findAllPodFolders, listBelow } from './node/tree.ts'
import type { Place } from './place.ts'

export interface Released {
  /** Lines taken away. */
  readonly lifted: number
  readonly problems: readonly Problem[]
}

/** Lines of other disks stay, and so does what is outside of pods' cgroups. */
export function releaseAll({ tree, devices }: Place): Released {
  const { folders, problems } = findAllPodFolders(tree.root)
  const targets = [...folders].flatMap(([uid, paths]) =>
    paths
      .flatMap((path) => listBelow(path, 0, problems))
      .map((path) => ({ pod: uid, container: null, path, caps: {} })),
  )
  const snapshot = readFiles(filesOf(targets, tree.version))
  const plan = planWrites(targets, { version: tree.version, devices, snapshot })
  const { written, failures } = applyWrites(plan.writes)
  return { lifted: written, problems: [...problems, ...plan.problems, ...failures] }
}
