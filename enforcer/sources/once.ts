/** The list of pods for a single pass. */
import type { PodList } from '../core/pods.ts'
import type { Effects } from '../effects.ts'
import type { EnforcerSettings } from '../settings.ts'
import { CannotRun } from './source.ts'
import { createSources } from './sources.ts'

/** Of the first source that answers. Throws a {@link CannotRun} with all that they said where none does. */
export async function readOnce(
  settings: EnforcerSettings,
  env: Readonly<Record<string, string | undefined>>,
  effects: Effects,
): Promise<PodList> {
  const sources = createSources(settings, env, {
    ...effects,
    onChanged: () => undefined,
    onCall: () => undefined,
  })
  if (!sources.ok) throw new CannotRun(sources.problems)
  const said: CannotRun[] = []
  for (const source of sources.value) {
    try {
      return await source.read()
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error
      said.push(error)
    } finally {
      source.rest?.()
    }
  }
  throw new CannotRun(said.flatMap(({ problems }) => problems))
}
