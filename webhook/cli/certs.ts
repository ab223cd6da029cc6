import { join } from 'node:path'
import { issueAuthority, issueLeaf } from '../../certs/issue.ts'
import { AUTHORITY_BITS, LEAF_BITS } from '../../certs/keys.ts'
import { type Names, parseNames } from '../../certs/names.ts'
import { formatProblem } from '../../contract/problem.ts'
import { list, text, toggle, wholeNumber } from '../../settings/option.ts'
import { formatHelp, readSettings, type SettingsOf } from '../../settings/settings.ts'
import { type CliEffects, type Command, type Environment, formatCallProblems } from './command.ts'
import { findPresent, type OutputFile, replaceFiles } from './files.ts'

const NAME = 'iops-limit certs'

export const OPTIONS = {
  out: text({ flag: 'out', placeholder: 'DIR', help: 'where the files go; made if missing' }),
  dns: list({
    flag: 'dns',
    placeholder: 'NAME[,NAME...]',
    help: 'DNS names that the webhook is called by, such as iops-limit.iops-limit.svc',
    default: [],
  }),
  ips: list({
    flag: 'ip',
    placeholder: 'ADDRESS[,ADDRESS...]',
    help: 'IP addresses that it is called by',
    default: [],
  }),
  days: wholeNumber(
    { min: 1, max: 825 },
    { flag: 'days', help: 'for how long the serving certificate holds', default: 365 },
  ),
  caDays: wholeNumber(
    { min: 1, max: 36_500 },
    { flag: 'ca-days', help: 'for how long the CA holds', default: 3650 },
  ),
  force: toggle({ flag: 'force', help: 'replace files that stand there already' }),
}

export const INTRO = `Usage: ${NAME} --out DIR --dns NAME[,NAME...] [--ip ADDRESS...] [OPTION...]

Makes a certificate authority (ca.crt, ca.key) and a serving certificate from it (tls.crt, tls.key): all four or none.
Exit code: 0 made, 1 could not be written, 2 called wrongly.`

/** `iops-limit certs`: an authority and a serving certificate, as files. */
export const certs: Command = { options: OPTIONS, run: runCerts }

type Settings = SettingsOf<typeof OPTIONS>

async function runCerts(argv: readonly string[], env: Environment, effects: CliEffects): Promise<number> {
  const read = readSettings(OPTIONS, { argv, env })
  if (read.kind === 'help') {
    effects.stdout(formatHelp(INTRO, OPTIONS))
    return 0
  }
  if (read.kind === 'problems') return refuseCall(read.problems, effects)
  const { settings } = read
  const names = parseNames(settings)
  const problems = [...findLifeProblems(settings), ...(names.ok ? [] : names.problems.map(formatProblem))]
  if (!names.ok || problems.length > 0) return refuseCall(problems, effects)
  try {
    return await makeFiles(settings, names.value, effects)
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    effects.stderr(`${NAME}: nothing was written: ${cause}; give by --out a directory that can be written\n`)
    return 1
  }
}

function refuseCall(problems: readonly string[], { stderr }: CliEffects): number {
  stderr(formatCallProblems(NAME, problems))
  return 2
}

const findLifeProblems = ({ days, caDays }: Settings): readonly string[] =>
  days > caDays ? [`--days ${days} is more than --ca-days ${caDays}: no certificate outlives its CA`] : []

async function makeFiles(settings: Settings, names: Names, effects: CliEffects): Promise<number> {
  const { out, force } = settings
  const present = force ? [] : await findPresent(out, FILES)
  if (present.length > 0) {
    effects.stderr(
      `${NAME}: ${present.join(', ')} in ${out} would be lost: --force replaces, or name another --out\n`,
    )
    return 1
  }
  const made = await makeCertificates(settings, names, effects)
  await replaceFiles(out, made.files)
  effects.stdout(formatMade(out, names, made))
  return 0
}

const FILES = ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'] as const

interface Made {
  readonly files: readonly OutputFile[]
  readonly caUntil: Date
  readonly until: Date
}

async function makeCertificates(
  { days, caDays }: Settings,
  names: Names,
  effects: CliEffects,
): Promise<Made> {
  const issuing = { now: effects.now(), random: effects.random }
  const [caKeys, keys] = await Promise.all([
    effects.createKeys(AUTHORITY_BITS),
    effects.createKeys(LEAF_BITS),
  ])
  const authority = issueAuthority(caDays, caKeys, issuing)
  const leaf = issueLeaf({ names, days }, keys, authority, issuing)
  const files: readonly OutputFile[] = [
    { name: 'ca.crt', text: authority.certificate, mode: 0o644 },
    { name: 'ca.key', text: caKeys.privateKey, mode: 0o600 },
    { name: 'tls.crt', text: leaf.certificate, mode: 0o644 },
    { name: 'tls.key', text: keys.privateKey, mode: 0o600 },
  ]
  return { files, caUntil: authority.notAfter, until: leaf.notAfter }
}

function formatMade(out: string, { dns, ips }: Names, { caUntil, until }: Made): string {
  const day = (date: Date): string => date.toISOString().slice(0, 10)
  return `Made in ${out}:
  ca.crt   the CA, until ${day(caUntil)}
  ca.key   the CA's key: keep it off the cluster
  tls.crt  serving certificate for ${[...dns, ...ips].join(', ')}, until ${day(until)}
  tls.key  its key
Next:
  serve:    iops-limit-webhook --tls-cert ${join(out, 'tls.crt')} --tls-key ${join(out, 'tls.key')} ...
  publish:  the caBundle of the MutatingWebhookConfiguration is the output of: base64 -w0 ${join(out, 'ca.crt')}
`
}
