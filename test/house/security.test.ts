import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const PAGE = readFileSync('docs/security.md', 'utf8')

/** The rows of its tables: what somebody cannot do, how that is, and the tests that show it. */
const rows = PAGE.split('\n')
  .filter((line) => /^\| (?!cannot \||--- )/.test(line))
  .map((line) => line.split(' | '))
const proofs = rows.flatMap(([claim = '', , shown = '']) =>
  [...shown.matchAll(/\]\(\.\.\/(test\/[^)]+)\) “([^”]+)”/g)].map(([, file = '', title = '']) => ({
    claim,
    file,
    title,
  })),
)

describe('the threat model', () => {
  test('names tests for every line', () => {
    expect(rows.length).toBeGreaterThan(30)
    const claims = new Set(proofs.map(({ claim }) => claim))
    expect(rows.filter(([claim = '']) => !claims.has(claim))).toEqual([])
    // None was lost by the way it is written.
    expect(proofs).toHaveLength([...PAGE.matchAll(/\]\(\.\.\/test\//g)].length)
  })

  test.each(proofs)('$file has “$title”', ({ file, title }) => {
    expect(existsSync(file) ? readFileSync(join(file), 'utf8') : 'there is no such file').toContain(title)
  })
})
