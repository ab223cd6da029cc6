import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  AUDIT_LABEL,
  CONTAINER_PREFIX,
  ENFORCE_LABEL,
  LIMIT_NAMES,
  limitKey,
  SCOPE_KEY,
  WARN_LABEL,
  WRITER_ONLY_KEYS,
} from '../../contract/keys.ts'
import { answerFailure, answerReview } from '../../webhook/admission/answer.ts'
import { parseReview } from '../../webhook/admission/review.ts'
import * as rejections from '../../webhook/server/rejection.ts'
import { policiesOf } from '../support/policies.ts'
import { reviewOf } from '../support/reviews.ts'
import { BLOCKS, refresh } from './blocks.ts'

const textOf = (path: string): string => readFileSync(path, 'utf8')

/** Of each table below a heading the code in the first column, without a value behind the key. */
function firstColumn(path: string, heading: string): readonly string[] {
  const section =
    textOf(path)
      .split(/^#+ /m)
      .find((text) => text.startsWith(`${heading}\n`)) ?? ''
  const cells = section.split('\n').flatMap((line) => /^\| (`[^|]+) \|/.exec(line)?.[1] ?? [])
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`:]+)(?:: \w+)?`/g)].map(([, name = '']) => name))
}

const PAGES = ['docs/policy.md', 'docs/programs.md', 'docs/review.md', 'docs/adaptive.md']

describe('what the documentation repeats of the code', () => {
  test.each(PAGES)('%s is as new as the code', async (path) => {
    await expect(refresh(textOf(path))).toMatchFileSnapshot(`../../${path}`)
  })

  test('every block stands in a page', () => {
    const pages = PAGES.map(textOf).join('')
    expect(Object.keys(BLOCKS).filter((name) => !pages.includes(`<!-- ${name} -->`))).toEqual([])
  })

  test('an unknown block is a mistake', () => {
    expect(() => refresh('<!-- nothing -->\n<!-- end -->')).toThrow('there is no block nothing')
  })

  test('every way to be rejected is in the table', () => {
    const rows = BLOCKS['rejections']?.().split('\n').slice(2) ?? []
    // One more than functions: what breaks before it is a request has three reasons.
    expect(rows.length).toBe(Object.keys(rejections).length + 2)
    expect(new Set(rows.map((row) => row.split('|')[2])).size).toBe(rows.length)
  })
})

describe('the keys that the documentation names', () => {
  const LABELS = [ENFORCE_LABEL, WARN_LABEL, AUDIT_LABEL]
  const USER_KEYS = [...LIMIT_NAMES.map(limitKey), SCOPE_KEY, `${CONTAINER_PREFIX}NAME`]

  test.each([
    ['docs/policy.md', 'Labels on a namespace', LABELS],
    ['docs/policy.md', 'Annotations that users write', USER_KEYS],
    ['docs/policy.md', 'Annotations that only admission writes', WRITER_ONLY_KEYS],
  ])('%s, %s', (path, heading, keys) => {
    expect([...firstColumn(path, heading)].sort()).toEqual([...keys].sort())
  })

  test('README.md', () => {
    const named = firstColumn('README.md', 'What it does')
    expect([...named].sort()).toEqual([...LABELS, ...USER_KEYS].sort())
  })
})

test('the fields of a decision in the log are those of its record', () => {
  const policies = policiesOf(textOf('test/fixtures/policies/gold.yaml'))
  const namespace = { name: 'rec', labels: { [ENFORCE_LABEL]: 'gold' } }
  const review = parseReview(reviewOf({}))
  if (!review.ok) throw new Error('the recorded review is one')
  const { record } = answerReview(review.value, { policies, exemptNamespaces: [], namespace })
  const fields = { ...record, ...answerFailure(review.value, 'nothing').record }
  expect([...firstColumn('docs/programs.md', 'Log of decisions')].sort()).toEqual(
    [...Object.keys(fields), 'level', 'msg', 'seconds', 'time'].sort(),
  )
})
