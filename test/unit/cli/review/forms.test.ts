import { readFileSync } from 'node:fs'
import Ajv from 'ajv'
import { describe, expect, test } from 'vitest'
import { createFolder, podText, reviewText, UNDER_GOLD } from '../../../support/cli/folder.ts'

/** One of each verdict, and positions that are not the first. */
const MANIFEST = `# all of them
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team}
spec:
  template:
    metadata:
      labels: {app: pg}
    spec:
      containers: [{name: main, image: web}, {name: istio-proxy, image: mesh}]
---
${podText('\n    iops-limit/limit: "9000"\n    iops-limit/bps: 50MB', 'bad')}---
${podText('{iops-limit/limit: "400", nvme-iops: "300"}', 'old')}---
${podText('{iops-limit/limit: "400"}', 'fine')}---
apiVersion: v1
kind: Service
metadata: {name: <&">, namespace: team}
`

interface Form {
  readonly [name: string]: unknown
}

const formOf = async (text: string, form: string): Promise<Form> =>
  JSON.parse((await reviewText(text, ['-o', form])).stdout) as Form

const schemaOf = (path: string): object => JSON.parse(readFileSync(path, 'utf8')) as object

describe('text', () => {
  test('a line a workload; its policy and rule, its limits per container, the cure', async () => {
    const { stdout } = await reviewText(MANIFEST)
    expect(stdout).toBe(`defaulted         Deployment team/web, policy gold, rule databases -:2
  gold/databases fills in read-iops=2000, write-iops=1000, read-bps=200Mi, write-bps=100Mi, scope=container
  container main: read-iops=2000 write-iops=1000 read-bps=200Mi write-bps=100Mi
  container istio-proxy: exempt, no limit
refused           Pod team/bad, policy gold, rule everything-else -:19
  refused: iops-limit/bps: "50MB" carries a unit, and this key takes none; write "50Mi" (powers of 1024) or "50M" (powers of 1000)
  refused: iops-limit/limit "9000" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less
warned            Pod team/old, policy gold, rule everything-else -:28
  warned: nvme-iops "300" is dropped: iops-limit/limit says "400"
  limits of the pod: read-iops=400 write-iops=400
  container main: shares them
allowed           Pod team/fine, policy gold, rule everything-else -:32
  limits of the pod: read-iops=400 write-iops=400
  container main: shares them
4 workloads: 1 refused, 1 warned, 1 defaulted, 1 allowed; 1 other object
`)
  })

  test('colours on a terminal, unless NO_COLOR or --color says otherwise', async () => {
    const isRed = async (argv: readonly string[], isTerminal: boolean, env = {}): Promise<boolean> =>
      (await reviewText(MANIFEST, argv, { isTerminal, env })).stdout.includes('\u001b[31mrefused')
    expect(await isRed([], true)).toBe(true)
    expect(await isRed([], false)).toBe(false)
    expect(await isRed([], true, { NO_COLOR: '1' })).toBe(false)
    expect(await isRed([], true, { NO_COLOR: '' })).toBe(true)
    expect(await isRed(['--color', 'always'], false, { NO_COLOR: '1' })).toBe(true)
    expect(await isRed(['--color', 'never'], true)).toBe(false)
  })

  test('progress on a terminal where files are many, and gone at the end', async () => {
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`${index}.yaml`, podText()]))
    using folder = createFolder(many)
    const run = async (argv: readonly string[], isTerminal: boolean): Promise<string> =>
      (await folder.run(['review', '.', ...UNDER_GOLD, ...argv], { isTerminal })).stderr
    expect(await run([], true)).toBe(
      '\r50 of 120 files read\r100 of 120 files read\r120 of 120 files read\r\u001b[K',
    )
    expect(await run(['-q'], true)).toBe('')
    expect(await run([], false)).toBe('')
  })
})

describe('json', () => {
  const validate = new Ajv({ allErrors: true }).compile(schemaOf('docs/review-output.schema.json'))

  test.each([
    ['every verdict', MANIFEST],
    ['nothing', ''],
    ['a fault', 'a: 1\na: 2\n'],
    ['exempt by a rule', podText().replace('annotations: {}', 'labels: {tier: system}')],
  ])('keeps to its schema: %s', async (_, text) => {
    validate(await formOf(text, 'json'))
    expect(validate.errors).toBeNull()
  })

  test('says all that there is to say', async () => {
    const { results, summary, exitCode } = await formOf(MANIFEST, 'json')
    expect({ exitCode, summary }).toEqual({
      exitCode: 1,
      summary: {
        ...{ workloads: 4, refused: 1, warned: 1, defaulted: 1, allowed: 1 },
        ...{ notOptedIn: 0, unknownNamespace: 0, otherObjects: 1 },
      },
    })
    expect(results).toEqual([
      {
        ...{ file: '-', line: 2, column: 1, apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'team' },
        ...{ namespaceAssumed: false, name: 'web', podPath: 'spec.template', verdict: 'defaulted' },
        ...{ policy: 'gold', rule: 'databases', violations: [], warnings: [] },
        defaulted: ['read-iops', 'write-iops', 'read-bps', 'write-bps', 'scope'],
        auditAnnotations: {
          policy: 'gold/databases',
          defaulted: 'read-iops=2000, write-iops=1000, read-bps=200Mi, write-bps=100Mi, scope=container',
        },
        patch: [
          {
            op: 'add',
            path: '/metadata/annotations',
            value: {
              'iops-limit/read-iops': '2000',
              'iops-limit/write-iops': '1000',
              'iops-limit/read-bps': '200Mi',
              'iops-limit/write-bps': '100Mi',
              'iops-limit/scope': 'container',
              'iops-limit/policy': 'gold/databases',
              'iops-limit/defaulted': 'read-iops,write-iops,read-bps,write-bps,scope',
              'iops-limit/exempt-containers': 'istio-proxy',
            },
          },
        ],
        effective: {
          scope: 'container',
          pod: { 'read-iops': '2000', 'write-iops': '1000', 'read-bps': '200Mi', 'write-bps': '100Mi' },
          containers: [
            {
              name: 'main',
              exempt: false,
              limits: {
                'read-iops': '2000',
                'write-iops': '1000',
                'read-bps': '200Mi',
                'write-bps': '100Mi',
              },
            },
            { name: 'istio-proxy', exempt: true, limits: {} },
          ],
        },
      },
      expect.objectContaining({
        ...{ name: 'bad', verdict: 'refused', line: 19, column: 5 },
        violations: [
          expect.objectContaining({
            line: 19,
            column: 5,
            message: expect.stringMatching(/^iops-limit\/bps: "50MB"/) as string,
          }),
          expect.objectContaining({
            line: 18,
            column: 5,
            message: expect.stringMatching(/^iops-limit\/limit "9000"/) as string,
          }),
        ],
      }),
      expect.objectContaining({ name: 'old', verdict: 'warned', defaulted: [] }),
      expect.objectContaining({ name: 'fine', verdict: 'allowed' }),
    ])
  })
})

describe('sarif', () => {
  const validate = new Ajv({ schemaId: 'id', meta: false, allErrors: true, unknownFormats: 'ignore' })
    .addMetaSchema(
      JSON.parse(readFileSync('node_modules/ajv/lib/refs/json-schema-draft-04.json', 'utf8')) as object,
    )
    .compile(schemaOf('test/fixtures/sarif/sarif-2.1.0-rtm.5.json'))

  test.each([
    ['every verdict', MANIFEST],
    ['nothing', ''],
    ['a fault', 'a: 1\na: 2\n'],
  ])('keeps to the schema of OASIS: %s', async (_, text) => {
    validate(await formOf(text, 'sarif'))
    expect(validate.errors).toBeNull()
  })

  test('names file, line and column of the offending key', async () => {
    using folder = createFolder({ 'with space#.yaml': MANIFEST })
    const { stdout } = await folder.run(['review', '.', ...UNDER_GOLD, '-o', 'sarif'])
    const { runs } = JSON.parse(stdout) as { runs: [{ results: readonly Form[] }] }
    const { results } = runs[0]
    expect(results.map(({ ruleId, level }) => [ruleId, level].join(' '))).toEqual([
      ...['defaulted note', 'refused error', 'refused error', 'warned warning'],
    ])
    expect(results[2]).toMatchObject({
      message: {
        text: 'Pod team/bad, policy gold, rule everything-else: iops-limit/limit "9000" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less',
      },
      locations: [
        {
          physicalLocation: {
            artifactLocation: {
              uri: expect.stringMatching(/^file:\/\/.*\/with%20space%23\.yaml$/) as string,
            },
            region: { startLine: 18, startColumn: 5 },
          },
        },
      ],
    })
  })
})

describe('github', () => {
  test('an annotation for each thing to be told, escaped', async () => {
    using folder = createFolder({ 'a,b.yaml': MANIFEST, 'c.yaml': 'kind: [' })
    const { stdout } = await folder.run(['review', '.', ...UNDER_GOLD, '-o', 'github'])
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(
        /^::error file=\.\/c\.yaml,line=1,col=\d,title=iops-limit review could not run::it is not YAML: /,
      ),
      '::notice file=./a%2Cb.yaml,line=2,col=1,title=Deployment team/web%2C policy gold%2C rule databases::gold/databases fills in read-iops=2000, write-iops=1000, read-bps=200Mi, write-bps=100Mi, scope=container',
      '::error file=./a%2Cb.yaml,line=19,col=5,title=Pod team/bad%2C policy gold%2C rule everything-else::iops-limit/bps: "50MB" carries a unit, and this key takes none; write "50Mi" (powers of 1024) or "50M" (powers of 1000)',
      '::error file=./a%2Cb.yaml,line=18,col=5,title=Pod team/bad%2C policy gold%2C rule everything-else::iops-limit/limit "9000" is above the max of 1000 for readIOPS and writeIOPS; write 1000 or less',
      '::warning file=./a%2Cb.yaml,line=28,col=42,title=Pod team/old%2C policy gold%2C rule everything-else::nvme-iops "300" is dropped: iops-limit/limit says "400"',
      '',
    ])
  })

  test('names no file where there is none', async () => {
    const { stdout } = await reviewText(podText('{iops-limit/limit: "9000"}'), ['-o', 'github'])
    expect(stdout).toMatch(/^::error line=6,col=17,title=/)
  })
})
