/** The webhook as a program: arguments in, exit code out. */
import { formatHelp } from '../../settings/settings.ts'
import { openConfiguration } from './configuration.ts'
import { type ServeEffects, serve } from './serve.ts'
import { INTRO, OPTIONS } from './settings.ts'

export interface WebhookEffects extends ServeEffects {
  readonly stderr: (text: string) => void
}

/** Gives 0 when it was asked to stop and has, 1 when it failed, 2 when the configuration is wrong. */
export async function runWebhook(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  effects: WebhookEffects,
): Promise<number> {
  const opened = await openConfiguration({ argv, env })
  if (opened.kind === 'help') {
    effects.stdout.write(formatHelp(INTRO, OPTIONS))
    return 0
  }
  if (opened.kind === 'problems') {
    const lines = opened.problems.map((problem) => `iops-limit-webhook: ${problem}\n`)
    effects.stderr(`${lines.join('')}See iops-limit-webhook --help\n`)
    return 2
  }
  try {
    await serve(opened.configuration, effects)
    return 0
  } catch (error) {
    effects.stderr(`iops-limit-webhook: ${describeFailure(error)}\n`)
    return 1
  }
}

/** What the system refused needs a sentence; a mistake of ours its stack. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'syscall' in error
    ? `${error.message}; name another --host, --port or --metrics-port`
    : (error.stack ?? '')
}
