/**
 * The parts of the documentation that repeat the code. Each stands between `<!-- NAME -->` and `<!-- end -->`; after a
 * change of the code, `npx vitest run test/house/docs.test.ts -u` writes them anew.
 */
import { ALIAS_KEYS } from '../../contract/aliases.ts'
import { isIopsName, type LimitName, limitKey } from '../../contract/keys.ts'
import { UNLIMITED } from '../../contract/limits.ts'
import { parseLimit } from '../../contract/overrides.ts'
import { formatProblem } from '../../contract/problem.ts'
import { OPTIONS as ENFORCER, HELP as ENFORCER_HELP } from '../../enforcer/settings.ts'
import type { OptionTable } from '../../settings/settings.ts'
import { OPTIONS as CERTS, INTRO as CERTS_HELP } from '../../webhook/cli/certs.ts'
import { OPTIONS as EXPLAIN, INTRO as EXPLAIN_HELP } from '../../webhook/cli/explain/explain.ts'
import { OPTIONS as TEST, INTRO as TEST_HELP } from '../../webhook/cli/golden/test.ts'
import { OPTIONS as MIGRATE, INTRO as MIGRATE_HELP } from '../../webhook/cli/migrate/migrate.ts'
import { OPTIONS as REVIEW, INTRO as REVIEW_HELP } from '../../webhook/cli/review/options.ts'
import { loadPolicies } from '../../webhook/policy/load.ts'
import { createMetrics } from '../../webhook/server/metrics.ts'
import * as rejections from '../../webhook/server/rejection.ts'
import { OPTIONS as WEBHOOK, INTRO as WEBHOOK_HELP } from '../../webhook/server/settings.ts'
import { formatDays } from '../support/adaptive/days.ts'
import { REFUSED_POLICY, SPEECHES, WRITTEN_VALUES } from './samples.ts'

/** Every block by its name. */
export const BLOCKS: Readonly<Record<string, () => string>> = {
  'usage: iops-limit certs': () => fence(CERTS_HELP),
  'settings: iops-limit certs': () => formatSettings(CERTS),
  'usage: iops-limit review': () => fence(REVIEW_HELP),
  'settings: iops-limit review': () => formatSettings(REVIEW),
  'usage: iops-limit test': () => fence(TEST_HELP),
  'settings: iops-limit test': () => formatSettings(TEST),
  'usage: iops-limit explain': () => fence(EXPLAIN_HELP),
  'settings: iops-limit explain': () => formatSettings(EXPLAIN),
  'usage: iops-limit migrate': () => fence(MIGRATE_HELP),
  'settings: iops-limit migrate': () => formatSettings(MIGRATE),
  'usage: iops-limit-webhook': () => fence(WEBHOOK_HELP),
  'settings: iops-limit-webhook': () => formatSettings(WEBHOOK),
  'usage: iops-limit-enforcer': () => fence(ENFORCER_HELP.split('\n\nOptions')[0] ?? ''),
  'settings: iops-limit-enforcer': () => formatSettings(ENFORCER),
  rejections: formatRejections,
  metrics: formatMetrics,
  aliases: formatAliases,
  values: formatValues,
  'refused policy': formatRefusedPolicy,
  speeches: formatSpeeches,
  'simulated days': formatDays,
}

/** The document with every block as the code has it now; throws where it names one that there is not. */
export function refresh(document: string): string {
  return document.replaceAll(/<!-- (.+?) -->\n[\s\S]*?<!-- end -->/g, (_, name: string) => {
    const block = BLOCKS[name]
    if (block === undefined) throw new RangeError(`there is no block ${name}`)
    return `<!-- ${name} -->\n${block()}\n<!-- end -->`
  })
}

function fence(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``
}

const code = (text: string): string => (text === '' ? '' : `\`${text.replaceAll('|', '\\|')}\``)

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function formatSettings(options: OptionTable): string {
  return table(
    ['flag', 'variable', 'default', 'meaning'],
    Object.values(options).map(({ flag, env = '', placeholder, fallback, help }) => [
      code(`--${flag} ${placeholder}`.trimEnd()),
      code(env),
      fallback === undefined ? '**required**' : code(fallback.shown),
      help.replaceAll('|', '\\|'),
    ]),
  )
}

function formatRejections(): string {
  const { rejectPath, rejectMethod, rejectType, rejectEncoding, rejectSize, rejectHttp } = rejections
  const { rejectCrowd, rejectLate, rejectEmpty, rejectUtf8, rejectJson, rejectReview } = rejections
  const all = [
    rejectReview([
      { field: 'kind', value: 'Pod', reason: 'is not a review', cure: 'send kind AdmissionReview' },
    ]),
    ...[rejectEmpty(), rejectUtf8(), rejectJson('at position 17'), rejectHttp('HPE_INVALID_METHOD')],
    ...[rejectPath('/x'), rejectMethod('GET', 'POST'), rejectHttp('ERR_HTTP_REQUEST_TIMEOUT')],
    ...[
      rejectSize(WEBHOOK.maxBodyBytes.fallback?.value ?? 0),
      rejectType('text/plain'),
      rejectEncoding('gzip'),
    ],
    ...[rejectCrowd(), rejectHttp('HPE_HEADER_OVERFLOW'), rejections.rejectBroken(), rejectLate(10_000)],
    rejections.rejectClient(),
  ]
  return table(
    ['status', '`reason`', '`message`, such as', 'header'],
    all.map(({ status, reason, message, headers = {} }) => [
      String(status),
      code(reason),
      message,
      Object.entries(headers)
        .map(([name, value]) => code(`${name}: ${value}`))
        .join(', '),
    ]),
  )
}

function formatMetrics(): string {
  const none = (): number => 0
  const { registry } = createMetrics({
    ...{ requests: none, bufferedBytes: none, policies: () => [], namespaces: none },
    ...{ refusedPolicies: none, certificateExpiry: none, ages: () => ({}) },
  })
  return table(
    ['name', 'type', 'labels', 'meaning'],
    registry.getMetricsAsArray().map((metric) => [
      code(metric.name),
      String(metric.type),
      // The library's own types leave the labels out.
      (Reflect.get(metric, 'labelNames') as readonly string[]).map(code).join(', '),
      metric.help,
    ]),
  )
}

function formatAliases(): string {
  return table(
    ['older key', 'becomes'],
    [...ALIAS_KEYS].map(([alias, key]) => [code(alias), code(key)]),
  )
}

function formatValues(): string {
  return table(
    ['key', 'value', 'is'],
    WRITTEN_VALUES.map(([name, text]) => [
      code(limitKey(name)),
      code(`"${text}"`),
      describeValue(name, text),
    ]),
  )
}

function describeValue(name: LimitName, text: string): string {
  const parsed = parseLimit(name, text, limitKey(name))
  if (!parsed.ok) return parsed.problems.map(({ reason, cure }) => `refused: ${reason}; ${cure}`).join('. ')
  const value = parsed.value[name]
  return value === undefined || value === UNLIMITED
    ? 'no limit'
    : `${value.toLocaleString('en')} ${isIopsName(name) ? 'operations' : 'bytes'} per second`
}

function formatRefusedPolicy(): string {
  const loaded = loadPolicies([{ name: 'bad.yaml', text: REFUSED_POLICY }])
  const said = loaded.ok ? [] : loaded.problems.map(formatProblem)
  return `${fence(REFUSED_POLICY)}\n\n${fence(said.join('\n'))}`
}

function formatSpeeches(): string {
  return SPEECHES.map(({ title, say }) => `${title}:\n\n${fence(say())}`).join('\n\n')
}
