import { spawnSync } from 'node:child_process'
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

interface Bill {
  readonly components: readonly {
    readonly name: string
    readonly version: string
    readonly purl: string
    readonly licenses: readonly { readonly license?: { readonly id: string }; readonly expression?: string }[]
  }[]
}

const { bin, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly bin: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}
const PROGRAMS = Object.keys(bin)

// As the sources have it now, however the tests were started.
beforeAll(() => {
  expect(spawnSync(process.execPath, ['scripts/setup.mjs']).status).toBe(0)
})

const billOf = (program: string): Bill => JSON.parse(readFileSync(`dist/${program}.cdx.json`, 'utf8')) as Bill

const licenceOf = ({ licenses: [first] }: Bill['components'][number]): string =>
  first?.license?.id ?? first?.expression ?? ''

/** Those that ask for no more than to be named. */
const TAKEN = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'Python-2.0',
  '(BSD-3-Clause OR GPL-2.0)',
])

describe('what is in the bundles', () => {
  test.each(PROGRAMS)('%s: a bill of packages in the versions of the lock file', (program) => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly version?: string }>>
    }
    const locked = new Set(
      Object.entries(packages).map(
        ([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`,
      ),
    )
    const { components } = billOf(program)
    expect(components.filter(({ name, version }) => !locked.has(`${name}@${version}`))).toEqual([])
    expect(components.filter(({ name }) => Object.hasOwn(devDependencies, name))).toEqual([])
    expect(new Set(components.map(({ purl }) => purl)).size).toBe(components.length)
  })

  // V8 keeps a program's text, at two bytes each where one character is outside of ASCII.
  test.each(['iops-limit-webhook', 'iops-limit-enforcer'])('%s: a text of ASCII alone', (program) => {
    const lines = readFileSync(`dist/${program}.js`, 'utf8').split('\n')
    expect(lines.length).toBeGreaterThan(100)
    expect(lines.filter((line) => Buffer.byteLength(line) !== line.length)).toEqual([])
  })

  test('what makes certificates is not in what each replica loads', () => {
    const paths = globSync('dist/iops-limit-webhook{.js,/*.js}')
    expect(paths.filter((path) => readFileSync(path, 'utf8').includes('createCertificate'))).toEqual([
      expect.stringMatching(/^dist\/iops-limit-webhook\/issue-/),
    ])
  })

  test("the webhook's names what it is written with", () => {
    const names = billOf('iops-limit-webhook').components.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['express', 'pino', 'prom-client', 'yaml', 're2js']))
  })

  test.each(PROGRAMS)('%s: licences that are taken, each with its text', (program) => {
    const { components } = billOf(program)
    expect(components.filter((one) => !TAKEN.has(licenceOf(one))).map(({ purl }) => purl)).toEqual([])
    const texts = readFileSync(`dist/${program}.licences.txt`, 'utf8')
    for (const { name, version } of components) expect(texts).toContain(`${name} ${version}: `)
  })

  test('the page of licences is as new as the bundles', async () => {
    await expect(formatPage()).toMatchFileSnapshot('../../docs/licences.md')
  })
})

/** Written anew by `npx vitest run test/house/supply.test.ts -u`. */
function formatPage(): string {
  const rows = new Map<string, string>()
  for (const program of PROGRAMS) {
    for (const component of billOf(program).components) {
      const { name, version } = component
      const key = `${name} ${version}`
      const before = rows.get(key)
      const start = `| ${name} | ${version} | ${licenceOf(component)} | `
      rows.set(key, before === undefined ? `${start}\`${program}\`` : `${before}, \`${program}\``)
    }
  }
  const lines = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => `${row} |`)
  return [
    '# Licences',
    '',
    'iops-limit is under the [Apache License 2.0](../LICENSE). Its bundles hold these packages; the texts of their licences',
    'stand beside each bundle in `dist/PROGRAM.licences.txt`, the bill of materials (CycloneDX) in `dist/PROGRAM.cdx.json`,',
    'and both are in the images, under `/app`.',
    '',
    '| package | version | licence | in |',
    '| --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n')
}

describe('the audit of known weaknesses', () => {
  const folder = mkdtempSync(join(tmpdir(), 'iops-limit-audit-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  /** With another npm in its place, that prints this. */
  function audit(output: string): { readonly code: number | null; readonly text: string } {
    writeFileSync(join(folder, 'output'), output)
    writeFileSync(join(folder, 'npm'), `#!/bin/sh\ncat "${join(folder, 'output')}"\n`)
    chmodSync(join(folder, 'npm'), 0o755)
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` }
    const { status, stdout } = spawnSync(process.execPath, ['scripts/audit.mjs'], { encoding: 'utf8', env })
    return { code: status, text: stdout }
  }

  test('says that nothing is known', () => {
    expect(audit('{"vulnerabilities":{},"metadata":{"vulnerabilities":{"total":0}}}')).toEqual({
      code: 0,
      text: 'audit: no weakness is known of any package that is shipped\n',
    })
  })

  test('names what is known, and fails', () => {
    const report = {
      vulnerabilities: { a: { name: 'a', severity: 'high' } },
      metadata: { vulnerabilities: { total: 1 } },
    }
    expect(audit(JSON.stringify(report))).toEqual({
      code: 1,
      text: 'audit: 1 known: a (high); run npm audit --omit=dev\n',
    })
  })

  test.each([
    ['{"message":"405 Method Not Allowed"}', '405 Method Not Allowed'],
    ['{"error":{"summary":"no network"}}', 'no network'],
    ['npm: what?\nmore', 'npm: what?'],
  ])('says loudly that it could not look: %s', (output, why) => {
    expect(audit(output)).toEqual({
      code: 77,
      text: `audit: NOT CHECKED, the registry tells nothing: ${why}\n`,
    })
  })
})
