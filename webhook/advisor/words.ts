/** What a pod's owner is told. */
import { LIMIT_NAMES, limitKey } from '../../contract/keys.ts'
import { cut, toPrintable } from '../admission/sentence.ts'
import type { PodEvent } from '../cluster/events.ts'
import type { Act } from './core/decide.ts'

/** The API server takes 1024 bytes of an Event's words. */
const LONGEST = 1024

/** Undefined where nobody needs to be told: whoever lifts a limit knows. */
export function findEvent({ kind, mode, why, changes }: Act): PodEvent | undefined {
  if (kind === 'lifted') return undefined
  const limits = LIMIT_NAMES.flatMap((name) => {
    const text = changes.set[limitKey(name)]
    return text === undefined ? [] : [`${name}=${text}`]
  }).join(', ')
  const message = (words: string): string => cut(toPrintable(`${words} (${why})`), LONGEST)
  if (kind === 'release')
    return {
      ...{ type: 'Normal', reason: 'IOLimitReleased' },
      message: message(`what was imposed is released${limits === '' ? '' : `, back to ${limits}`}`),
    }
  const words = mode === 'report' ? `only reported, not imposed: ${limits}` : `imposed: ${limits}`
  return { type: 'Warning', reason: 'IOLimitAdapted', message: message(words) }
}
