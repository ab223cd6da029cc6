import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { formatProblem } from '../../contract/problem.ts'
import { loadPolicies } from '../../webhook/policy/load.ts'

const pages = [
  'README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

const examples = pages.flatMap((path) =>
  [...readFileSync(path, 'utf8').matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)]
    .map(([, text = '']) => text)
    .filter((text) => /^kind: IOLimitPolicy$/m.test(text))
    .map((text, index) => ({ name: `${path}, policy ${index + 1}`, text })),
)

test.each(examples)('$name can be loaded', ({ name, text }) => {
  const loaded = loadPolicies([{ name, text }])
  expect(loaded.ok ? [] : loaded.problems.map(formatProblem)).toEqual([])
})

test('the README and the page on policies have examples', () => {
  for (const page of ['README.md', 'docs/policy.md'])
    expect(examples.filter(({ name }) => name.startsWith(page)).length).toBeGreaterThan(0)
})
