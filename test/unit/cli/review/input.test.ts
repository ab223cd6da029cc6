import { describe, expect, test } from 'vitest'
import { createFolder, podText, reviewText, UNDER_GOLD } from '../../../support/cli/folder.ts'
import { runCommand } from '../../../support/cli/run.ts'

const found = (stdout: string): readonly string[] =>
  stdout
    .split('\n')
    .flatMap((line) => /^[a-z-]+ +(\S+ \S+?),? .*?(\S+:\d+)$/.exec(line)?.slice(1, 3).join(' ') ?? [])

const summary = (stdout: string): string | undefined => stdout.trimEnd().split('\n').at(-1)

describe('where manifests come from', () => {
  const files = {
    'b.yaml': podText('{}', 'b'),
    'a.yml': podText('{}', 'a'),
    'deep/er/c.json': JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'c', namespace: 'team' },
      spec: { containers: [{ name: 'main', image: 'web' }] },
    }),
    'deep/notes.txt': 'not: a: manifest',
    '.hidden/d.yaml': podText('{}', 'd'),
    'node_modules/e.yaml': podText('{}', 'e'),
  }

  test.each([
    ['a file', ['./b.yaml'], ['Pod team/b ./b.yaml:1']],
    [
      'files, each once',
      ['./b.yaml', './a.yml', './b.yaml'],
      ['Pod team/b ./b.yaml:1', 'Pod team/a ./a.yml:1'],
    ],
    [
      'a directory, by name, hidden ones passed over',
      ['.'],
      ['Pod team/a ./a.yml:1', 'Pod team/b ./b.yaml:1', 'Pod team/c ./deep/er/c.json:1'],
    ],
    ['a pattern', ['./**/*.json', './?.yaml'], ['Pod team/c ./deep/er/c.json:1', 'Pod team/b ./b.yaml:1']],
  ])('%s', async (_, operands, expected) => {
    using folder = createFolder(files)
    const { code, stdout, stderr } = await folder.run(['review', ...operands, ...UNDER_GOLD])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(found(stdout)).toEqual(expected)
  })

  test('standard input', async () => {
    const { code, stdout } = await reviewText(podText())
    expect(code).toBe(0)
    expect(found(stdout)).toEqual(['Pod team/p -:1'])
  })

  test('what cannot be read is told, each with a cure, and the rest is judged all the same', async () => {
    using folder = createFolder({
      'good.yaml': podText(),
      'latin.yaml': Uint8Array.of(0x61, 0x3a, 0x20, 0xe4),
      'empty/x.txt': '',
    })
    const operands = ['./good.yaml', './gone.yaml', './latin.yaml', './empty', './*.nothing']
    const { code, stdout, stderr } = await folder.run(['review', ...operands, ...UNDER_GOLD])
    expect(code).toBe(2)
    expect(summary(stdout)).toBe('1 workload: 1 defaulted; 0 other objects')
    expect(stderr.split('\n').sort()).toEqual([
      '',
      'iops-limit review: ./*.nothing: matches no file; name one that is there',
      'iops-limit review: ./empty: holds no *.yaml, *.yml or *.json file; name another directory',
      'iops-limit review: ./gone.yaml: there is no such file; name one that is there',
      'iops-limit review: ./latin.yaml: it is not text in UTF-8; save it as UTF-8',
    ])
  })

  test.each([
    [[], 'nothing to review was named: write files, directories, or - for standard input'],
    [['-', '--diff', '--patched'], '--diff and --patched both want standard output: give one of them'],
    [['-', '--diff', '-o', 'json'], '--output json and --diff both want standard output: give one of them'],
    [
      ['-', '--patched', '-o', 'sarif'],
      '--output sarif and --patched both want standard output: give one of them',
    ],
    [
      ['-', '--server', 'example.com'],
      '--server "example.com" is not a URL such as https://localhost:8443/mutate',
    ],
    [['-', '--context', 'x'], '--kubeconfig and --context mean nothing without --from-cluster: add it'],
    [
      ['-', '--namespace-labels', 'gold'],
      '--namespace-labels "gold" is not KEY=VALUE, such as iops-limit/enforce=gold',
    ],
    [['-', '--fail-on', 'warn,all'], '--fail-on "warn,all" is not one of warn, default'],
    [
      ['-', '--pod-template-path', 'Rollout=..'],
      '--pod-template-path "Rollout=.." is not a path such as spec.template or Rollout.argoproj.io=spec.template',
    ],
    [['-', '--output', 'xml'], '--output "xml" is not one of text, json, junit, sarif, github'],
  ])('a wrong call %j', async (argv, problem) => {
    expect(await runCommand(['review', ...argv])).toEqual({
      code: 2,
      stdout: '',
      stderr: `iops-limit review: ${problem}\nSee iops-limit review --help\n`,
    })
  })

  test('--help tells of every option and of the exit codes', async () => {
    const { code, stdout } = await runCommand(['review', '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain(
      'Exit code: 0 allowed, 1 refused (see --fail-on), 2 could not run, 3 nothing was evaluated',
    )
    expect(stdout).toContain('--pod-template-path [KIND[.GROUP]=]PATH')
  })
})

describe('what stands in a file', () => {
  test('documents of YAML, empty ones of Helm, directives and ends among them', async () => {
    const text = `---\n# Source: chart/templates/none.yaml\n---\n\n---\n${podText('{}', 'a')}...\n%YAML 1.1\n---\n${podText('{}', 'b')}---\n---\n`
    const { code, stdout } = await reviewText(text)
    expect(code).toBe(0)
    expect(found(stdout)).toEqual(['Pod team/a -:6', 'Pod team/b -:17'])
  })

  test('objects of JSON, one behind the other', async () => {
    const pod = (name: string): string =>
      JSON.stringify(
        { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'team' }, spec: {} },
        null,
        1,
      )
    const { stdout } = await reviewText(`${pod('a')}\n${pod('b')}{}`)
    expect(found(stdout)).toEqual(['Pod team/a -:1', 'Pod team/b -:10'])
  })

  test('a List, a List in it, and a PodList whose items do not say what they are', async () => {
    const text = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: team}, spec: {}}
- apiVersion: v1
  kind: List
  items: [{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: team}, spec: {}}]
- null
---
apiVersion: v1
kind: PodList
items:
- metadata: {name: c, namespace: team}
  spec: {}
`
    expect(found((await reviewText(text)).stdout)).toEqual([
      'Pod team/a -:4',
      'Pod team/b -:7',
      'Pod team/c -:13',
    ])
  })

  test('anchors, aliases and merged keys', async () => {
    const text = `apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: team
  labels: &l {app: pg}
  annotations: {<<: *l, iops-limit/read-iops: &n "700"}
spec: {containers: [&c {name: main, image: web}, {<<: *c, name: other}]}
`
    const { stdout } = await reviewText(text)
    expect(stdout).toContain('policy gold, rule databases')
    expect(stdout).toContain('limits of the pod: read-iops=700 write-iops=1000')
    expect(stdout).toContain('container other: shares them')
  })

  test('a byte order mark and lines that end in CR LF', async () => {
    const text = `\ufeff${podText('{iops-limit/limit: "9000"}')}`.replaceAll('\n', '\r\n')
    const { code, stdout } = await reviewText(text, ['-o', 'github'])
    expect(code).toBe(1)
    expect(stdout).toContain('::error line=6,col=17,')
  })

  test('ten thousand pods in one List', async () => {
    const item = (index: number) => ({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: `p${index}`, namespace: 'team' } },
      spec: { containers: [{ name: 'main', image: 'web' }] },
    })
    const items = Array.from({ length: 10_000 }, (_, index) => item(index))
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 1)
    const { code, stdout, stderr } = await reviewText(text, ['--patched'])
    expect(code).toBe(0)
    expect(summary(stderr)).toBe('10000 workloads: 10000 defaulted; 0 other objects')
    expect(JSON.parse(stdout)).toMatchObject({
      items: items.map(({ metadata }) => ({
        metadata: { ...metadata, annotations: { 'iops-limit/policy': 'gold/everything-else' } },
      })),
    })
  })

  test.each([
    [
      'a key that stands twice',
      podText('\n    a: "1"\n    a: "2"'),
      '-:8:5: the key a stands twice in one map; keep one of them',
    ],
    [
      'such a key of JSON',
      '{"kind": "Pod", "kind": "Pod"}',
      '-:1:17: the key kind stands twice in one map; keep one of them',
    ],
    ['no YAML', 'kind: Pod\n\tname: x\n', /^-:2:1: it is not YAML: .*; mend the syntax there$/],
    [
      'a template of Helm',
      'kind: Pod\nmetadata:\n  {{- include "labels" . }}\n',
      /^-:\d+:\d+: it is a template, not YAML; render it first, such as by "helm template CHART \| iops-limit review -"$/,
    ],
    [
      'a text',
      '# nothing\njust words\n',
      '-:1:1: the document is not an object; write apiVersion, kind and metadata (and a List for several)',
    ],
    ['an alias of nothing', 'kind: *x\n', /^-:1:\d+: it is not YAML: .*"x".*; mend the syntax there$/],
    [
      'a circle',
      'a: &a {b: *a}\n',
      /^-:1:\d+: (its aliases unfold without end; write it without them|it is not YAML: .*)$/,
    ],
    [
      'aliases without end',
      `${Array.from(
        { length: 10 },
        (_, i) =>
          `a${i}: &a${i} [${Array(10)
            .fill(i === 0 ? 'x' : `*a${i - 1}`)
            .join(', ')}]`,
      ).join('\n')}\n`,
      '-:1:1: its aliases unfold without end; write it without them',
    ],
  ])('%s is a fault, and other documents are judged', async (_, text, expected) => {
    const { code, stdout, stderr } = await reviewText(`${text}\n---\n${podText()}`)
    expect(code).toBe(2)
    expect(summary(stdout)).toBe('1 workload: 1 defaulted; 0 other objects')
    const said = stderr.replace('iops-limit review: ', '').trimEnd()
    if (typeof expected === 'string') expect(said).toBe(expected)
    else expect(said).toMatch(expected)
  })

  test('what other tools keep beside manifests is passed over', async () => {
    const { code, stdout } = await reviewText(
      `- hosts: all\n  tasks: []\n---\nresources: [a.yaml]\n---\n!Ref x: y\n---\n${podText()}`,
    )
    expect(code).toBe(0)
    expect(summary(stdout)).toBe('1 workload: 1 defaulted; 2 other objects')
  })
})
