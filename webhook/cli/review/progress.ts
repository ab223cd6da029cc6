import type { CliEffects } from '../command.ts'
import type { OnFile } from './inputs.ts'

export interface Progress {
  readonly tell: OnFile
  readonly end: () => void
}

/** Fewer are read before anybody has seen a line. */
const FEW = 50

/** One line on a terminal's standard error, written over and taken away at the end. */
export function createProgress(
  { stderr, isTerminal }: Pick<CliEffects, 'stderr' | 'isTerminal'>,
  { quiet }: { readonly quiet: boolean },
): Progress {
  const isShown = isTerminal.stderr && !quiet
  let told = false
  return {
    tell(done, all) {
      if (!isShown || all < FEW || (done % FEW !== 0 && done < all)) return
      told = true
      stderr(`\r${done} of ${all} files read`)
    },
    end() {
      if (told) stderr('\r\u001b[K')
    },
  }
}
