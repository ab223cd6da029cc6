import { describe, expect, test } from 'vitest'
import { createFolder, GOLD, podText } from '../../../support/cli/folder.ts'
import { policyText } from '../../../support/policies.ts'

const namespaceText = (name: string, labels: string): string =>
  `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {${labels}}}\n`

const inNamespace = (name: string): string => podText().replace('namespace: team', `namespace: ${name}`)

const first = (stdout: string): string | undefined => stdout.split('\n')[0]

describe('namespaces', () => {
  test('the manifests supply the labels of their own, before --namespaces, before --namespace-labels', async () => {
    using folder = createFolder({
      'ns.yaml': `${namespaceText('team', 'iops-limit/enforce: b')}${namespaceText('other', 'iops-limit/enforce: b')}`,
      'app.yaml': `${namespaceText('team', 'iops-limit/enforce: a')}---\n${podText()}---\n${inNamespace('other')}---\n${inNamespace('third')}`,
      'policies.yaml': ['a', 'b', 'c']
        .map((name) => policyText(name, '{name: all, default: {iops: 5}}'))
        .join(''),
    })
    const { code, stdout, stderr } = await folder.run([
      ...['review', './app.yaml', '--policies', './policies.yaml', '--namespaces', './ns.yaml'],
      ...['--namespace-labels', 'iops-limit/enforce=c,x=y'],
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.match(/policy \w/g)).toEqual(['policy a', 'policy b', 'policy c'])
  })

  test('one that nothing tells of is an error, with the cures', async () => {
    using folder = createFolder({ 'app.yaml': inNamespace('dark') })
    const { code, stdout } = await folder.run(['review', './app.yaml', '--policies', GOLD])
    expect(code).toBe(2)
    expect(stdout).toBe(`unknown-namespace Pod dark/p ./app.yaml:1
  unknown-namespace: namespace dark is not known: its labels decide; give it by --namespaces, --namespace-labels iops-limit/enforce=POLICY or --from-cluster, or let it pass by --unknown-namespace allow
1 workload: 1 unknown-namespace; 0 other objects (nothing was evaluated)
`)
  })

  test('--unknown-namespace allow lets it through, as the webhook does', async () => {
    using folder = createFolder({ 'app.yaml': inNamespace('dark') })
    const { code, stdout } = await folder.run([
      'review',
      '.',
      '--policies',
      GOLD,
      '--unknown-namespace',
      'allow',
    ])
    expect(code).toBe(0)
    expect(stdout).toBe(`warned            Pod dark/p ./app.yaml:1
  warned: namespace dark is not known here: the pod was let through without limits
1 workload: 1 warned; 0 other objects
`)
  })

  test('that an object does not name is assumed, and that is said; -n says which', async () => {
    using folder = createFolder({ 'app.yaml': podText().replace('  namespace: team\n', '') })
    const argv = ['review', '.', '--policies', GOLD, '--namespace-labels', 'iops-limit/enforce=gold']
    expect(first((await folder.run(argv)).stdout)).toContain('Pod default/p (namespace assumed), policy gold')
    expect(first((await folder.run([...argv, '-n', 'mine'])).stdout)).toContain(
      'Pod mine/p (namespace assumed), policy gold',
    )
  })

  test('that have not opted in are nothing to evaluate; -v tells of their pods', async () => {
    using folder = createFolder({ 'app.yaml': `${namespaceText('team', 'a: b')}---\n${podText()}` })
    const argv = ['review', './app.yaml', '--policies', GOLD]
    expect(await folder.run(argv)).toEqual({
      code: 3,
      stdout: '1 workload: 1 not-opted-in; 1 other object (nothing was evaluated)\n',
      stderr: '',
    })
    const { stdout } = await folder.run([...argv, '-v'])
    expect(first(stdout)).toBe('not-opted-in      Pod team/p ./app.yaml:6')
  })

  test('of the system are known, and exempt: a label there has no effect', async () => {
    using folder = createFolder({ 'app.yaml': inNamespace('kube-system') })
    const { code } = await folder.run(['review', '.', '--policies', GOLD])
    expect(code).toBe(3)
    folder.write({ 'ns.yaml': namespaceText('kube-system', 'iops-limit/enforce: gold') })
    const { stdout } = await folder.run(['review', '.', '--policies', GOLD])
    expect(stdout).toContain(
      'warned: namespace kube-system is exempt: policy gold, which its labels name, has no effect',
    )
  })

  test('--exempt-namespaces are others', async () => {
    using folder = createFolder({ 'app.yaml': inNamespace('infra') })
    const argv = ['review', '.', '--policies', GOLD, '--exempt-namespaces', 'infra']
    expect((await folder.run(argv)).code).toBe(3)
  })

  test('a file of --namespaces holds nothing else', async () => {
    using folder = createFolder({ 'app.yaml': podText() })
    const { code, stderr } = await folder.run([
      'review',
      './app.yaml',
      '--policies',
      GOLD,
      '--namespaces',
      './app.yaml',
    ])
    expect(code).toBe(2)
    expect(stderr).toBe(
      'iops-limit review: ./app.yaml:2:1: is not a Namespace; leave only Namespace objects in this file\n',
    )
  })

  test.each([
    ['warn', 'policy gold, rule everything-else would set read-iops=500, write-iops=500'],
    ['enforce', 'there is no policy of that name; known: gold'],
  ])('their label iops-limit/%s is what the webhook goes by', async (mode, said) => {
    using folder = createFolder({ 'app.yaml': podText() })
    const labels = `iops-limit/${mode}=${mode === 'warn' ? 'gold' : 'silver'}`
    const { code, stdout } = await folder.run([
      'review',
      '.',
      '--policies',
      GOLD,
      '--namespace-labels',
      labels,
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^warned /)
    expect(stdout).toContain(said)
  })
})

describe('policies', () => {
  const LABELS = ['--namespace-labels', 'iops-limit/enforce=one']

  test('come from several places: files, directories, a List, the manifests themselves', async () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        {
          apiVersion: 'policy.iops-limit/v1alpha1',
          kind: 'IOLimitPolicy',
          metadata: { name: 'two' },
          spec: { rules: [{ name: 'r', default: { iops: 2 } }] },
        },
      ],
    }
    using folder = createFolder({
      'dir/one.yaml': policyText('one', '{name: r, default: {iops: 1}}'),
      'two.json': JSON.stringify(list),
      'app/app.yaml': `${policyText('one', '{name: r, default: {iops: 9}}')}---\n${podText()}`,
    })
    const argv = ['review', './app', '--policies', './dir', '--policies', `${GOLD},./two.json`]
    const run = async (label: string) => (await folder.run([...argv, '--namespace-labels', label])).stdout
    expect(await run('iops-limit/enforce=one')).toContain('one/r fills in read-iops=9, write-iops=9')
    expect(await run('iops-limit/enforce=two')).toContain('two/r fills in read-iops=2, write-iops=2')
    expect(await run('iops-limit/enforce=gold')).toContain('policy gold, rule everything-else')
  })

  test('that are wrong are told with file, line and column of each field, and nothing passes', async () => {
    using folder = createFolder({
      'app.yaml': podText(),
      'bad.yaml': `${policyText('one', '{name: r, default: {iops: 9}, max: {iops: 5}, colour: red}')}${policyText('two', '{name: r}').repeat(2)}`,
    })
    const { code, stderr } = await folder.run(['review', './app.yaml', '--policies', './bad.yaml', ...LABELS])
    expect(code).toBe(2)
    const lines = stderr.trimEnd().split('\n')
    expect(lines.every((line) => /^iops-limit review: \.\/bad\.yaml:\d+:\d+: \S+: .*; .*$/.test(line))).toBe(
      true,
    )
    expect(stderr).toContain('spec.rules[0].colour')
    expect(stderr).toContain('metadata.name: "two" is the name of an earlier policy; give each its own name')
  })

  test('in the manifests under review, when wrong, likewise', async () => {
    using folder = createFolder({ 'app.yaml': `${policyText('one', '{nam: r}')}---\n${podText()}` })
    const { code, stderr } = await folder.run(['review', '.', ...LABELS])
    expect(code).toBe(2)
    expect(stderr).toContain('spec.rules[0].nam: "r" is not a field here; remove it')
  })

  test('none at all is an error where a pod is to be judged', async () => {
    using folder = createFolder({ 'app.yaml': podText() })
    const { code, stderr } = await folder.run(['review', '.', ...LABELS])
    expect(code).toBe(2)
    expect(stderr).toBe(
      'iops-limit review: there is no policy; give some by --policies PATH or --from-cluster, or with the manifests\n',
    )
  })

  test('--from-cluster that cannot be reached is an error of every form', async () => {
    using folder = createFolder({ 'app.yaml': podText() })
    const argv = ['review', '.', ...LABELS, '--from-cluster', '--kubeconfig', './none']
    const { code, stdout, stderr } = await folder.run([...argv, '-o', 'json'])
    expect(code).toBe(2)
    expect(stderr).toContain('none')
    expect(JSON.parse(stdout)).toMatchObject({
      exitCode: 2,
      problems: [{ message: expect.stringContaining('none') as string }],
    })
  })
})
