import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rootField } from '../../../contract/reader.ts'
import { readBlock } from '../../../webhook/policy/bounds.ts'
import { loadNamespaces, loadPolicies } from '../../../webhook/policy/load.ts'
import { policyText } from '../../support/policies.ts'

const load = (text: string) => loadPolicies([{ name: 'p.yaml', text }])

const problems = (text: string) => {
  const loaded = load(text)
  return loaded.ok ? [] : loaded.problems.map(({ field, reason, cure }) => `${field} ${reason}; ${cure}`)
}

/** The problems of a policy with one rule of these fields. */
const ruleProblems = (fields: string) => problems(policyText('gold', `{name: r, ${fields}}`))

describe('policies', () => {
  it('come from several files, several documents and Lists; empty documents are passed over', () => {
    const loaded = loadPolicies([
      {
        name: 'a.yaml',
        text: `---\n# nothing\n${policyText('a', '{name: r}')}${policyText('b', '{name: r}')}---\n---\nnull\n`,
      },
      {
        name: 'c.json',
        text: JSON.stringify({
          apiVersion: 'v1',
          kind: 'List',
          items: [
            {
              apiVersion: 'policy.iops-limit/v1alpha1',
              kind: 'IOLimitPolicy',
              metadata: { name: 'c', uid: 'x', managedFields: [] },
              spec: { rules: [{ name: 'r' }] },
              status: {},
            },
          ],
        }),
      },
    ])
    expect(loaded.ok && [...loaded.value.keys()]).toEqual(['a', 'b', 'c'])
  })

  it('are all refused for one wrong one, with every problem of every file at its field path', () => {
    const loaded = loadPolicies([
      { name: 'good.yaml', text: policyText('good', '{name: r}') },
      {
        name: 'bad.yaml',
        text: `${policyText('good', '{name: r}')}${policyText('worse', '{name: r, max: {readIOPS: 1}}', '{name: r, nonsense: 1}')}`,
      },
      { name: 'broken.yaml', text: 'a: [' },
    ])
    expect(loaded.ok ? [] : loaded.problems.map(({ field, reason }) => `${field} ${reason}`)).toEqual([
      'bad.yaml#1: metadata.name is the name of an earlier object',
      'bad.yaml#2: spec.rules[0].max.readIOPS is below what the kernel takes',
      'bad.yaml#2: spec.rules[1].nonsense is not a field here',
      'bad.yaml#2: spec.rules[1].name is the name of an earlier rule',
      'broken.yaml is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 5',
    ])
  })

  it('need to be at least one', () => {
    expect(problems('---\n')).toEqual([
      'p.yaml holds no policy; write at least one object of apiVersion policy.iops-limit/v1alpha1, kind IOLimitPolicy',
    ])
  })

  it.each([
    ['a text', 'hello', 'p.yaml is a text, not a map; write a map of keys and values'],
    [
      'a key twice',
      'a: 1\na: 2',
      'p.yaml is not YAML: Map keys must be unique at line 2, column 1; mend the syntax there',
    ],
    [
      'another kind',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {rules: [{name: r}]}',
      'p.yaml: kind is not IOLimitPolicy; write IOLimitPolicy',
    ],
    [
      'no name',
      policyText('""', '{name: r}'),
      'p.yaml: metadata.name is not a policy name; write at most 63 lower-case letters, digits, "-" and "."; the ends are letters or digits',
    ],
    [
      'a name that no label holds',
      policyText('x'.repeat(64), '{name: r}'),
      'p.yaml: metadata.name is not a policy name; write at most 63 lower-case letters, digits, "-" and "."; the ends are letters or digits',
    ],
    ['no rules', policyText('gold'), 'p.yaml: spec.rules is empty; write at least one rule'],
    [
      'no spec',
      'apiVersion: policy.iops-limit/v1alpha1\nkind: IOLimitPolicy\nmetadata: {name: a}',
      'p.yaml: spec is missing, not a map; write a map of keys and values',
    ],
    [
      'rules of another type',
      'apiVersion: policy.iops-limit/v1alpha1\nkind: IOLimitPolicy\nmetadata: {name: a}\nspec: {rules: {}}',
      'p.yaml: spec.rules is a map, not a list; write a list',
    ],
    [
      'a rule of another type',
      policyText('gold', '5'),
      'p.yaml: spec.rules[0] is a number, not a map; write a map of keys and values',
    ],
    [
      'a rule without a name',
      policyText('gold', '{}'),
      'p.yaml: spec.rules[0].name is missing, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      'a rule with a path for a name',
      policyText('gold', '{name: a/b}'),
      'p.yaml: spec.rules[0].name is not a rule name; write at most 63 lower-case letters, digits and "-"; the ends are letters or digits',
    ],
  ])('refuse %s', (_, text, problem) => {
    expect(problems(text)).toContain(problem)
  })

  it.each([
    [
      'default: {iops: 0}',
      'p.yaml: spec.rules[0].default.iops is no bound; leave the field out where there is no limit',
    ],
    [
      'max: {readBPS: max}',
      'p.yaml: spec.rules[0].max.readBPS is no bound; leave the field out where there is no limit',
    ],
    [
      'min: {readIOPS: 6}, max: {readIOPS: 5}',
      'p.yaml: spec.rules[0].min.readIOPS is above the max of readIOPS, 5 at spec.rules[0].max.readIOPS; lower it or raise the other',
    ],
    [
      'default: {iops: 600}, max: {writeIOPS: 500}',
      'p.yaml: spec.rules[0].default.iops is above the max of writeIOPS, 500 at spec.rules[0].max.writeIOPS; lower it or raise the other',
    ],
    [
      'default: {bps: 1Mi}, min: {readBPS: 2Mi}',
      'p.yaml: spec.rules[0].min.readBPS is above the default of readBPS, 1Mi at spec.rules[0].default.bps; lower it or raise the other',
    ],
    [
      'default: {readIops: 5}',
      'p.yaml: spec.rules[0].default.readIops is not a field here; remove it, or write one of iops, readIOPS, writeIOPS, bps, readBPS, writeBPS',
    ],
    [
      'default: {readIOPS: true}',
      'p.yaml: spec.rules[0].default.readIOPS is neither a number nor a text; write such as 500 or "50Mi"',
    ],
    [
      'default: {readIOPS: 1.5}',
      'p.yaml: spec.rules[0].default.readIOPS is not a whole number of operations per second; write digits only, such as "500"',
    ],
    [
      'max: {iops: 00}',
      'p.yaml: spec.rules[0].max.iops is no bound; leave the field out where there is no limit',
    ],
    [
      'max: {iops: "00"}',
      'p.yaml: spec.rules[0].max.iops is zero; leave the field out where there is no limit',
    ],
    [
      'max: {bps: unlimited}',
      'p.yaml: spec.rules[0].max.bps is not how "no limit" is written; leave the field out where there is no limit',
    ],
    ['max: {bps: ""}', 'p.yaml: spec.rules[0].max.bps is empty; leave the field out where there is no limit'],
    ['max: {iops: 1}', 'p.yaml: spec.rules[0].max.iops is below what the kernel takes; write 2 or more'],
    ['max: {bps: 2k, iops: -5}', 'p.yaml: spec.rules[0].max.iops is negative; write 2 or more'],
    [
      'max: {bps: 1e16}',
      'p.yaml: spec.rules[0].max.bps is too large to be exact as a number; write it in quotes',
    ],
    [
      'max: {bps: 9007199254740993.0}',
      'p.yaml cannot be kept exactly as a number; write it without a fraction, or in quotes',
    ],
    [
      'max: {iops: 100.00000000000000000001}',
      'p.yaml cannot be kept exactly as a number; write it without a fraction, or in quotes',
    ],
    [
      `max: {iops: 1.${'0'.repeat(80)}}`,
      'p.yaml cannot be kept exactly as a number; write it without a fraction, or in quotes',
    ],
    [
      'max: !mine {iops: 5}',
      'p.yaml holds what is not known here: Unresolved tag: !mine at line 5, column 31; remove it',
    ],
    [
      'selector: {matchLabels: !!set {a}}',
      'p.yaml holds what is not known here: Unresolved tag: tag:yaml.org,2002:set at line 5, column 50; remove it',
    ],
    [
      'exemptContainers: {names: [fine, ""]}',
      'p.yaml: spec.rules[0].exemptContainers.names[1] is a pattern of 0 characters; write 1 to 256',
    ],
    [
      'exemptContainers: {images: [fine], imageRegexes: [fine, "(a"]}',
      'p.yaml: spec.rules[0].exemptContainers.imageRegexes[1] is not a regular expression: error parsing regexp: missing closing ): `(a`; write RE2 syntax (no look-around, no back-references)',
    ],
    [
      'exemptContainers: {imageRegexes: [".{0,1000}.{0,1000}.{0,1000}.{0,1000}x"]}',
      'p.yaml: spec.rules[0].exemptContainers.imageRegexes[0] unfolds to 8011 steps, and 500 are taken; write * or + in place of large repeat counts',
    ],
    [
      'exemptContainers: {nameRegexes: ["a{400}", "b{400}"], names: ["*/a"], imageRegexes: ["c{400}", "d{400}", "e{400}"]}',
      'p.yaml: spec.rules[0].exemptContainers holds patterns for images of 1230 steps together, and 1000 are taken; write fewer or simpler patterns',
    ],
    ['default: []', 'p.yaml: spec.rules[0].default is a list, not a map; write a map of keys and values'],
    ['exempt: yes', 'p.yaml: spec.rules[0].exempt is a text, not a truth value; write true or false'],
    [
      'exempt: true, max: {iops: 5}',
      'p.yaml: spec.rules[0].max has no effect in a rule with exempt: true; remove it, or remove exempt',
    ],
    [
      'exemptContainers: {names: [true]}',
      'p.yaml: spec.rules[0].exemptContainers.names[0] is a truth value, not a text; write a text, in quotes where it looks like a number',
    ],
    ['scope: node', 'p.yaml: spec.rules[0].scope is not a scope; write pod or container'],
    [
      'exemptContainers: {names: istio}',
      'p.yaml: spec.rules[0].exemptContainers.names is a text, not a list; write a list',
    ],
    [
      'exemptContainers: {names: [5]}',
      'p.yaml: spec.rules[0].exemptContainers.names[0] is a number, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      'exemptContainers: {image: [a]}',
      'p.yaml: spec.rules[0].exemptContainers.image is not a field here; remove it, or write one of names, images, nameRegexes, imageRegexes',
    ],
    [
      'exemptContainers: []',
      'p.yaml: spec.rules[0].exemptContainers is a list, not a map; write a map of keys and values',
    ],
    [
      'selector: "a in ("',
      'p.yaml: spec.rules[0].selector is not a selector: a parenthesis is not closed; write such as "app=system,env in (prod,staging),!debug"',
    ],
  ])('refuse a rule with %s', (fields, problem) => {
    expect(ruleProblems(fields)).toContain(problem)
  })

  it('tell of a name that cannot be read once, however often it stands there', () => {
    expect(problems(policyText('gold', '{name: ""}', '{name: ""}', '{name: A}'))).toEqual(
      [0, 1, 2].map(
        (index) =>
          `p.yaml: spec.rules[${index}].name is not a rule name; write at most 63 lower-case letters, digits and "-"; the ends are letters or digits`,
      ),
    )
  })

  it('refuse a number from JSON that may have been rounded on its way', () => {
    const field = rootField({ bps: 9007199254740992 }, 'max')
    expect(readBlock(field)).toEqual({})
    expect(field.problems.map(({ reason }) => reason)).toEqual(['is too large to be exact as a number'])
  })

  it('keep numbers beyond 2^53 and take whole floats', () => {
    const loaded = load(
      policyText('gold', '{name: r, default: {readBPS: 18446744073709551614, writeBPS: 2e6, iops: "500"}}'),
    )
    const rule = loaded.ok ? loaded.value.get('gold')?.rules[0] : undefined
    expect(rule?.exempt === false && rule.defaults.map(({ name, text }) => `${name}=${text}`)).toEqual([
      'read-iops=500',
      'write-iops=500',
      'read-bps=18446744073709551614',
      'write-bps=2M',
    ])
  })

  it('fill in the max where there is no default', () => {
    const loaded = load(
      policyText('gold', '{name: r, default: {readIOPS: 100}, max: {iops: 1000, readBPS: 1Gi}}'),
    )
    const rule = loaded.ok ? loaded.value.get('gold')?.rules[0] : undefined
    expect(rule?.exempt === false && rule.defaults.map(({ name, text }) => `${name}=${text}`)).toEqual([
      'read-iops=100',
      'write-iops=1000',
      'read-bps=1Gi',
    ])
  })

  it('never throw, however deep, twisted or self-repeating the text', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.replaceAll(/./g, (c) => `${c}: &${c} [${`*${String.fromCharCode(c.charCodeAt(0) - 1)},`.repeat(9)}]\n`)}`
    for (const text of [
      '['.repeat(100_000),
      '{a: '.repeat(50_000),
      bomb,
      '\u0000',
      '&a *a',
      '<<: *x',
      '? [a]\n: b',
      '!!binary x',
      '%YAML 9',
    ]) {
      expect(load(text).ok).toBe(false)
    }
    fc.assert(fc.property(fc.string(), (text) => !load(text).ok))
  })
})

describe('namespaces', () => {
  it('are read as kubectl prints them', () => {
    const loaded = loadNamespaces([
      {
        name: 'a.yaml',
        text: 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {iops-limit/enforce: gold}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n',
      },
      {
        name: 'c.yaml',
        text: 'apiVersion: v1\nkind: NamespaceList\nitems:\n- kind: Namespace\n  metadata: {name: c, labels: null}\n',
      },
    ])
    expect(loaded.ok && [...loaded.value.values()]).toEqual([
      { name: 'a', labels: { 'iops-limit/enforce': 'gold' } },
      { name: 'b', labels: {} },
      { name: 'c', labels: {} },
    ])
  })

  it.each([
    ['kind: Pod', 'n.yaml: kind is not Namespace; leave only Namespace objects in this file'],
    ['kind: Namespace', 'n.yaml: metadata is missing, not a map; write a map of keys and values'],
    [
      'kind: Namespace\nmetadata: {}',
      'n.yaml: metadata.name is missing, not a text; write a text, in quotes where it looks like a number',
    ],
    [
      'kind: Namespace\nmetadata: {name: a, labels: {x: 5}}',
      'n.yaml: metadata.labels.x is a number, not a text; write a text, in quotes where it looks like a number',
    ],
    ['[]', 'n.yaml is a list, not a map; write a map of keys and values'],
  ])('refuse %j', (text, problem) => {
    const loaded = loadNamespaces([{ name: 'n.yaml', text }])
    expect(
      loaded.ok ? [] : loaded.problems.map(({ field, reason, cure }) => `${field} ${reason}; ${cure}`),
    ).toEqual([problem])
  })
})
