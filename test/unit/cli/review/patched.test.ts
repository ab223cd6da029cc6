import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseManifest } from '../../../../webhook/cli/manifest/parse.ts'
import { createFolder, podText, reviewText, UNDER_GOLD } from '../../../support/cli/folder.ts'

const tidy = (text: string): string => text.replaceAll(/ +$/gm, '')

const patched = async (text: string): Promise<string> => (await reviewText(text, ['--patched'])).stdout

describe('--patched', () => {
  test('adds what admission adds, and keeps comments, order and spelling', async () => {
    const text = `# head
apiVersion: apps/v1 # version
kind: Deployment
metadata:
    name: web
    namespace: "team"   # whose
spec:
    template:
        # of the pod
        metadata:
            labels: { app: 'pg' } # a database
            annotations:
                # asked for
                iops-limit/read-iops: '700' # by hand

                z: |
                    text
                    # no comment
        spec:
            containers:
            - name: main
              image: web
# tail
`
    expect(await patched(text)).toBe(
      text.replace(
        '                    # no comment\n',
        `                    # no comment
                iops-limit/write-iops: "1000"
                iops-limit/read-bps: "200Mi"
                iops-limit/write-bps: "100Mi"
                iops-limit/policy: "gold/databases"
                iops-limit/defaulted: "write-iops,read-bps,write-bps"
`,
      ),
    )
  })

  const MARK =
    'iops-limit/read-iops: "500", iops-limit/write-iops: "500", iops-limit/policy: "gold/everything-else", iops-limit/defaulted: "read-iops,write-iops"'
  const ALLOWED = 'iops-limit/limit: "400", iops-limit/policy: "gold/everything-else"'

  test.each([
    ['an empty map', '{}', `{${MARK}}`],
    ['a map in braces', '{a: b} # c', `{a: b, ${MARK}} # c`],
    ['a map in quotes', '{"a": "b"}', `{"a": "b", ${MARK.replaceAll(/(?<=^|, )[^:]+/g, '"$&"')}}`],
    ['an older key', '{nvme-iops: "400"}', `{${ALLOWED}}`],
    [
      'an older key on its line',
      '\n    nvme-iops: "400" # old',
      `\n    iops-limit/limit: "400" # old\n    iops-limit/policy: "gold/everything-else"`,
    ],
    [
      'one of two older keys',
      '\n    nvme-iops: "400"\n    iops-limit/limit: "400"',
      `\n    iops-limit/limit: "400"\n    iops-limit/policy: "gold/everything-else"`,
    ],
    ['nothing', '', `\n    ${MARK.replaceAll(', iops', '\n    iops')}`],
    ['null', '~ # none', `\n    ${MARK.replaceAll(', iops', '\n    iops')} # none`],
    [
      'braces, a key a line',
      '{\n    nvme-iops: "400",\n    a: b\n  }',
      `{\n    ${ALLOWED.replace(', ', ',\n    a: b,\n    ')}\n  }`,
    ],
  ])('%s', async (_, before, after) => {
    expect(tidy(await patched(podText(before)))).toBe(tidy(podText(after)))
  })

  test('JSON stays JSON, a key a line', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'team' },
      spec: { containers: [] },
    }
    const text = JSON.stringify(pod, null, 2)
    const annotations = JSON.parse(`{${MARK.replaceAll(/(?<=^|, )[^:]+/g, '"$&"')}}`) as object
    const stdout = await patched(text)
    expect(JSON.parse(stdout)).toEqual({ ...pod, metadata: { ...pod.metadata, annotations } })
    expect(stdout.split('\n').slice(0, 6)).toEqual(
      text
        .split('\n')
        .slice(0, 6)
        .map((line) => line.replace('"team"', '"team",')),
    )
  })

  test('what is refused, makes no pod or is let alone stays byte by byte', async () => {
    const text = `${podText('{iops-limit/limit: "9000"}')}---\n# nothing\n---\nkind: ConfigMap\napiVersion: v1\ndata: {x: "1"}\n`
    expect(await patched(text)).toBe(text)
  })

  test('lines end as they did', async () => {
    const text = podText('\n    a: b').replaceAll('\n', '\r\n')
    expect((await patched(text)).replaceAll('\r\n', '')).not.toContain('\n')
  })

  test('where aliases stand in the way, the document is printed anew, and that is said', async () => {
    const pod = (name: string, annotations: string): string =>
      `- {apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: team, annotations: ${annotations}}, spec: {}}\n`
    const text = `apiVersion: v1 # gone\nkind: List\nitems:\n${pod('a', '&a {x: z}')}${pod('b', '*a')}`
    const { stdout, stderr } = await reviewText(text, ['--patched'])
    expect(stderr).toContain(
      '-: 1 document is printed anew, without comments: aliases or merged keys stand where the change goes\n',
    )
    expect(stdout).not.toContain('#')
    const items = parseManifest(stdout).documents[0]?.value
    const annotations = expect.objectContaining({
      x: 'z',
      'iops-limit/policy': 'gold/everything-else',
    }) as object
    expect(items).toMatchObject({
      items: [{ metadata: { name: 'a', annotations } }, { metadata: { name: 'b', annotations } }],
    })
  })

  test('several files are one stream', async () => {
    using folder = createFolder({
      'a.yaml': podText('{}', 'a').trimEnd(),
      'b.yaml': podText('{}', 'b'),
      'c.yaml': '\n',
    })
    const { stdout } = await folder.run(['review', '.', ...UNDER_GOLD, '--patched'])
    const names = parseManifest(stdout).documents.map(
      ({ value }) => (value as { metadata: { name: string } }).metadata.name,
    )
    expect(names).toEqual(['a', 'b'])
    expect(stdout.match(/^---$/gm)).toHaveLength(1)
  })

  test('objects of JSON one behind the other stay that', async () => {
    const pod = (name: string, annotations: object): string =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'team', annotations },
        spec: {},
      })
    const refused = pod('a', { 'iops-limit/limit': '9000' })
    const stdout = await patched(`${refused}\n${pod('b', {})}\n${pod('c', { x: 'y' })}\n\n`)
    const mark = `"iops-limit/policy": "gold/everything-else"`
    expect(stdout.split('\n')).toEqual([
      refused,
      expect.stringMatching(new RegExp(`^\\{.*"b",.*\\{"iops-limit/.*${mark}.*\\}$`)),
      expect.stringMatching(new RegExp(`^\\{.*"c",.*"x":"y", "iops-limit/.*${mark}.*\\}$`)),
      '',
      '',
    ])
  })

  test('a recorded review has it in its object', async () => {
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: {} }
    const resource = { group: '', version: 'v1', resource: 'pods' }
    const review = {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: { uid: 'u', operation: 'CREATE', resource, namespace: 'team', object },
    }
    expect(JSON.parse(await patched(JSON.stringify(review)))).toMatchObject({
      request: { object: { metadata: { annotations: { 'iops-limit/policy': 'gold/everything-else' } } } },
    })
  })
})

describe('--diff', () => {
  test('is what patch takes', async () => {
    const text = `${podText()}---\n${podText('\n    a: b', 'q')}`
    const { code, stdout, stderr } = await reviewText(text, ['--diff'])
    expect(code).toBe(0)
    expect(stderr).toContain('2 workloads: 2 defaulted')
    expect(stdout.split('\n')).toEqual([
      '--- -',
      '+++ -',
      '@@ -3,6 +3,6 @@',
      ' metadata:',
      '   name: p',
      '   namespace: team',
      '-  annotations: {}',
      expect.stringMatching(/^\+ {2}annotations: \{"?iops-limit\/read-iops/),
      ' spec:',
      '   containers: [{name: main, image: web}]',
      '@@ -14,5 +14,9 @@',
      '   namespace: team',
      '   annotations: ',
      '     a: b',
      '+    iops-limit/read-iops: "500"',
      '+    iops-limit/write-iops: "500"',
      '+    iops-limit/policy: "gold/everything-else"',
      '+    iops-limit/defaulted: "read-iops,write-iops"',
      ' spec:',
      '   containers: [{name: main, image: web}]',
      '',
    ])
  })

  test('is empty where nothing changes, and coloured on a terminal', async () => {
    expect((await reviewText(podText('{iops-limit/limit: "9000"}'), ['--diff'])).stdout).toBe('')
    const { stdout } = await reviewText(podText(), ['--diff'], { isTerminal: true })
    expect(stdout).toContain('\u001b[32m+  annotations: {')
    expect(stdout).toContain('\u001b[31m-  annotations: {}\u001b[0m')
  })
})

/** YAML of a value, in styles and with comments by chance. */
const writeYaml = (value: unknown, indent: string, pick: () => number): string => {
  const comment = (): string => (pick() % 4 === 0 ? ` # c${pick()}: {x\n` : '\n')
  if (typeof value !== 'object' || value === null) return ` ${writeScalar(value, pick)}${comment()}`
  const entries = Object.entries(value)
  if (entries.length === 0 || pick() % 5 === 0) return ` ${writeFlow(value, pick)}${comment()}`
  const deeper = `${indent}${' '.repeat(1 + (pick() % 3))}`
  const between = (): string => (pick() % 5 === 0 ? `${deeper}# - ${pick()}\n` : pick() % 7 === 0 ? '\n' : '')
  const parts = Array.isArray(value)
    ? value.map((item: unknown) => `${between()}${deeper}-${writeYaml(item, `${deeper} `, pick)}`)
    : entries.map(
        ([key, item]) => `${between()}${deeper}${writeKey(key, pick)}:${writeYaml(item, deeper, pick)}`,
      )
  return `${comment()}${parts.join('')}`
}

const writeKey = (key: string, pick: () => number): string =>
  pick() % 3 === 0 || !/^(?!true|false|null)[a-z][\w./-]{3,}$/.test(key) ? JSON.stringify(key) : key

const writeScalar = (value: unknown, pick: () => number): string => {
  if (typeof value !== 'string') return JSON.stringify(value)
  const isSingle = pick() % 2 === 0 && /^[ -~]*$/.test(value)
  return isSingle ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value)
}

const writeFlow = (value: unknown, pick: () => number): string => {
  if (typeof value !== 'object' || value === null) return writeScalar(value, pick)
  const gap = pick() % 2 === 0 ? ' ' : ''
  const parts = Array.isArray(value)
    ? value.map((item) => writeFlow(item, pick))
    : Object.entries(value).map(([key, item]) => `${writeKey(key, pick)}: ${writeFlow(item, pick)}`)
  const [open, shut] = Array.isArray(value) ? '[]' : '{}'
  return `${open}${gap}${parts.join(`,${gap} `)}${gap}${shut}`
}

const annotations = fc.dictionary(
  fc.oneof(
    fc.constantFrom(
      'nvme-iops',
      'iops-limit/limit',
      'iops-limit/read-iops',
      'kubediskguard.io/bps',
      'iops-limit/policy',
      'a/b',
      'c',
    ),
    fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme-ascii' }).filter((key) => key !== '__proto__'),
  ),
  fc.oneof(fc.constantFrom('300', '400', '50Mi', 'max', 'gold/x'), fc.string({ maxLength: 20 })),
  { maxKeys: 4, noNullPrototype: true },
)

const pods = fc.record({
  metadata: fc.record(
    {
      name: fc.constantFrom('a', 'b'),
      namespace: fc.constant('team'),
      annotations: fc.option(annotations),
      labels: fc.constantFrom({ app: 'pg' }, { tier: 'system' }, {}),
    },
    { requiredKeys: ['name', 'namespace'] },
  ),
  spec: fc.record({
    containers: fc.constant([{ name: 'main', image: 'web' }]),
    note: fc.jsonValue({ maxDepth: 2 }),
  }),
})

const manifests = fc.oneof(
  pods.map((pod) => ({ apiVersion: 'v1', kind: 'Pod', ...pod })),
  pods.map((template) => ({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'team' } },
    spec: { template, replicas: 2 },
  })),
  fc.array(pods, { maxLength: 3 }).map((items) => ({
    ...{ apiVersion: 'v1', kind: 'List' },
    items: items.map((pod) => ({ apiVersion: 'v1', kind: 'Pod', ...pod })),
  })),
)

const OURS = /^(?:iops-limit\/|nvme-|kubediskguard\.io\/|io-limit\/)/

/** Without our annotations, and without what is left empty by that. */
const strip = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(strip)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => !OURS.test(key))
  const stripped = entries.map(([key, item]) => [key, strip(item)] as const)
  return Object.fromEntries(
    stripped.filter(
      ([key, item]) => key !== 'annotations' || (item !== null && JSON.stringify(item) !== '{}'),
    ),
  )
}

/** As JSON has it: large numbers are not exact there, and -0 is 0. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? Number(item) : item)))

const valuesOf = (text: string): readonly unknown[] => {
  const { documents, faults } = parseManifest(text)
  expect(faults).toEqual([])
  return documents.map(({ value }) => plain(value))
}

/** Of each comment the first words, but for those on lines that may go. */
const commentsOf = (text: string, going = /^$/): readonly string[] =>
  text
    .split('\n')
    .filter((line) => !going.test(line))
    .flatMap((line) => line.match(/# (?:c|- )\d+/g) ?? [])

const isWithin = (some: readonly string[], all: readonly string[]): boolean => {
  const rest = [...some]
  for (const each of all) if (each === rest[0]) rest.shift()
  return rest.length === 0
}

describe('whatever the style of the source', () => {
  test('a round trip is equal apart from our annotations, keeps the comments, and a second one changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(manifests, { minLength: 1, maxLength: 3 }),
        fc.infiniteStream(fc.nat(1000)),
        async (values, chances) => {
          const pick = (): number => chances.next().value as number
          const text = values.map((value) => `---${writeYaml(value, '', pick)}`).join('')
          expect(valuesOf(text)).toEqual(plain(values))
          const { stdout, stderr } = await reviewText(text, ['--patched'])
          expect(valuesOf(stdout).map(strip)).toEqual(values.map(plain).map(strip))
          if (!stderr.includes('printed anew'))
            expect(isWithin(commentsOf(text, /iops-limit|nvme-|kubediskguard/), commentsOf(stdout))).toBe(
              true,
            )
          const again = await reviewText(stdout, ['--patched'])
          expect(again.stdout).toBe(stdout)
        },
      ),
      { numRuns: 300 },
    )
  })
})
