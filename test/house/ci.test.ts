/** The examples for CI and pre-commit, and the commands on the pages: with flags that there are. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { OptionTable } from '../../settings/settings.ts'
import { OPTIONS as EXPLAIN } from '../../webhook/cli/explain/explain.ts'
import { OPTIONS as TEST } from '../../webhook/cli/golden/test.ts'
import { OPTIONS as MIGRATE } from '../../webhook/cli/migrate/migrate.ts'
import { OPTIONS as REVIEW } from '../../webhook/cli/review/options.ts'

const TABLES: Readonly<Record<string, OptionTable>> = {
  review: REVIEW,
  test: TEST,
  explain: EXPLAIN,
  migrate: MIGRATE,
}

const textOf = (path: string): string => readFileSync(path, 'utf8')

/** Every call of a command in a text, line by line; `>-` makes one line of several. */
function findCalls(text: string): readonly { readonly command: string; readonly flags: readonly string[] }[] {
  const lines = text.replaceAll(/\n +(?=--)/g, ' ').split('\n')
  return lines.flatMap((line) => {
    const [, command = '', rest = ''] =
      /iops-limit\S*(?: -v \S+)?(?: iops-limit-webhook)? (review|test|explain|migrate) ?([^|>#`]*)/.exec(
        line,
      ) ?? []
    const flags = rest.split(/\s+/).filter((word) => /^--?[a-z]/.test(word))
    return command === '' ? [] : [{ command, flags }]
  })
}

function findUnknown(text: string): readonly string[] {
  return findCalls(text).flatMap(({ command, flags }) => {
    const known = Object.values(TABLES[command] ?? {}).flatMap(({ flag, short = '' }) => [
      `--${flag}`,
      `-${short}`,
    ])
    return flags.filter((flag) => !known.includes(flag.replace(/=.*/, '')))
  })
}

const PATHS = [
  'docs/review.md',
  'docs/ci/github-actions.yaml',
  'docs/ci/gitlab-ci.yaml',
  '.pre-commit-hooks.yaml',
]

test.each(PATHS)('%s calls commands with flags that there are', (path) => {
  const text = textOf(path)
  expect(findCalls(text).length).toBeGreaterThan(1)
  expect(findUnknown(text)).toEqual([])
})

test('a flag that there is not would be found', () => {
  expect(findUnknown('npx iops-limit review --diff --gone x | cat --that')).toEqual(['--gone'])
})

test('the workflow pins every action by its digest', () => {
  const { jobs } = parse(textOf('docs/ci/github-actions.yaml')) as {
    readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly uses?: string }[] }>>
  }
  const used = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []))
  expect(used.length).toBeGreaterThan(0)
  for (const action of used) expect(action).toMatch(/@[\da-f]{40}$/)
})

test('the hooks run the command of the package', () => {
  const hooks = parse(textOf('.pre-commit-hooks.yaml')) as readonly Readonly<Record<string, unknown>>[]
  const { bin } = JSON.parse(textOf('package.json')) as { readonly bin: Readonly<Record<string, string>> }
  expect(hooks.map(({ id }) => id)).toEqual(['iops-limit-review', 'iops-limit-test'])
  for (const { entry } of hooks) expect(Object.keys(bin)).toContain(String(entry).split(' ')[0])
})
