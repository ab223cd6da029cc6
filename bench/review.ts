/**
 * What `iops-limit review` costs as a whole process: 1,000 Deployments in 100 files.
 *   npm run bench:review -- [ROUNDS]      15 if nothing is said
 * GATOR: a gator (github.com/open-policy-agent/gatekeeper) to run beside it, on the same objects and bounds.
 * Needs GNU time, which sees the largest size of a process.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatDistribution } from './distribution.ts'
import { CONSTRAINTS, deploymentsOf, POLICY } from './review/objects.ts'

const FILES = 100
const EACH = 10

interface Contestant {
  readonly name: string
  readonly command: readonly string[]
}

interface Round {
  readonly milliseconds: number
  /** Milliseconds of processor time, to the hundredth of a second. */
  readonly processor: number
  readonly mebibytes: number
}

function measure(command: readonly string[]): Round {
  const start = performance.now()
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%M %U %S', ...command], {
    maxBuffer: 2 ** 28,
    encoding: 'utf8',
  })
  const milliseconds = performance.now() - start
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}`)
  const said = (stderr.trimEnd().split('\n').at(-1) ?? '').split(' ').map(Number)
  const [size = Number.NaN, user = Number.NaN, system = Number.NaN] = said
  return { milliseconds, processor: (user + system) * 1000, mebibytes: size / 1024 }
}

function writeObjects(folder: string): void {
  for (let file = 0; file < FILES; file += 1)
    writeFileSync(join(folder, `${file}.yaml`), deploymentsOf(file * EACH, EACH))
}

function findContestants(
  objects: string,
  policies: string,
  gator: string | undefined,
): readonly Contestant[] {
  const ours = [process.execPath, 'dist/iops-limit.js']
  const review = [...ours, 'review', objects, '--policies', join(policies, 'policy.yaml')]
  const labelled = [...review, '--namespace-labels', 'iops-limit/enforce=bench']
  return [
    { name: 'start alone (--help)', command: [...ours, '--help'] },
    { name: 'review', command: labelled },
    { name: 'review --output json', command: [...labelled, '--output', 'json'] },
    { name: 'review --patched', command: [...labelled, '--patched'] },
    ...(gator === undefined
      ? []
      : [
          {
            name: 'gator test (checks only)',
            command: [gator, 'test', '-f', objects, '-f', join(policies, 'gator')],
          },
        ]),
  ]
}

function main(rounds: number, gator: string | undefined): void {
  execFileSync(process.execPath, ['scripts/build.mjs', 'iops-limit'])
  const folder = mkdtempSync(join(tmpdir(), 'iops-limit-bench-'))
  try {
    const [objects, policies] = ['objects', 'policies'].map((name) => join(folder, name)) as [string, string]
    for (const path of [objects, join(policies, 'gator')]) mkdirSync(path, { recursive: true })
    writeObjects(objects)
    writeFileSync(join(policies, 'policy.yaml'), POLICY)
    writeFileSync(join(policies, 'gator', 'constraints.yaml'), CONSTRAINTS)
    const contestants = findContestants(objects, policies, gator)
    // In turns, so that a busy moment of the machine is everybody's.
    const measured = Array.from({ length: rounds }, () => contestants.map(({ command }) => measure(command)))
    const columnOf = (field: keyof Round): Readonly<Record<string, readonly number[]>> =>
      Object.fromEntries(
        contestants.map(({ name }, at) => [name, measured.map((round) => round[at]?.[field] ?? Number.NaN)]),
      )
    console.log(formatDistribution('whole process, ms', columnOf('milliseconds')))
    console.log(formatDistribution('processor time, ms', columnOf('processor')))
    console.log(formatDistribution('largest size, MiB', columnOf('mebibytes')))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

main(Number(process.argv[2] ?? 15), process.env['GATOR'])
