import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const LEFT_OUT = new Set(['.git', 'node_modules', 'dist', 'coverage'])

function findFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (LEFT_OUT.has(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return findFiles(path)
    return entry.isFile() ? [path] : []
  })
}

const files = findFiles('.')
const textOf = (path: string): string => readFileSync(path, 'utf8')
const ours = files.filter(
  (path) => !path.startsWith(join('test', 'fixtures')) && path !== 'package-lock.json',
)

describe('the house is tidy', () => {
  test('no test is switched off or preferred', () => {
    const tests = files.filter((path) => path.endsWith('.test.ts'))
    expect(tests.length).toBeGreaterThan(0)
    const switched = /\b(?:describe|it|test)(?:\.\w+)*\.(?:only|skip|todo|fails)\b/
    expect(tests.filter((path) => switched.test(textOf(path)))).toEqual([])
  })

  test('nothing silences types or lint in place', () => {
    const silenced = /@ts-(?:ignore|expect-error|nocheck)|eslint-disable/
    const code = ours.filter(
      (path) => /\.[cm]?[jt]s$/.test(path) && path !== join('test', 'house', 'tidiness.test.ts'),
    )
    expect(code.filter((path) => silenced.test(textOf(path)))).toEqual([])
  })

  test("no file holds a path of somebody's machine", () => {
    const home = /(?:^|[\s"'`(=])\/(?:home|Users|root|work)\/\w/m
    expect(ours.filter((path) => home.test(textOf(path)))).toEqual([])
  })

  test('the lock file names no registry: whoever installs chooses it', () => {
    expect(textOf('package-lock.json')).not.toContain('"resolved": "http')
  })

  test('every link of the documentation leads somewhere', () => {
    const links = ours
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        [...textOf(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, to = '']) => ({
          path,
          to,
          file: join(dirname(path), to),
        })),
      )
    expect(links.length).toBeGreaterThan(0)
    const known = new Set(files.flatMap((path) => [path, ...parentsOf(path)]))
    expect(links.filter(({ file }) => !known.has(file.replace(/\/$/, '')))).toEqual([])
  })

  test('every decision is in the index, in the agreed form, on one page', () => {
    const folder = join('docs', 'decisions')
    const records = readdirSync(folder).filter((name) => name !== 'README.md')
    const index = textOf(join(folder, 'README.md'))
    for (const name of records) {
      const record = textOf(join(folder, name))
      const number = Number(/^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1])
      const title = new RegExp(`^# ${number}\\. (.+)\n\nDate: \\d{4}-\\d{2}-\\d{2}\\. Status: .+\\.\n`).exec(
        record,
      )?.[1]
      expect(index).toContain(`- [${name.slice(0, 4)}](${name}): ${title}`)
      expect(record.match(/^## .+$/gm)).toEqual(['## Context', '## Decision', '## Consequences'])
      expect(record.split('\n').length).toBeLessThanOrEqual(51)
    }
    expect(records.length).toBeGreaterThan(0)
  })
})

function parentsOf(path: string): readonly string[] {
  const parent = dirname(path)
  return parent === '.' ? [] : [parent, ...parentsOf(parent)]
}
