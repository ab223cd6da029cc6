import { expect, test } from 'vitest'
import { podText, reviewText } from '../../../support/cli/folder.ts'

interface Node {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: (Node | string)[]
}

/** XML without namespaces, entities of one's own or CDATA; throws where it is not well-formed. */
function parseXml(text: string): Node {
  const root: Node = { name: '', attributes: {}, children: [] }
  const open: Node[] = [root]
  let end = 0
  for (const match of text.matchAll(
    /<(\?xml [^<>]*\?|\/?)([\w-]*)((?: [\w-]+="[^"<]*")*)(\/?)>|([^<>]+)/gy,
  )) {
    const [whole, closing = '', name = '', attributes = '', alone, data] = match
    end = match.index + whole.length
    if (closing.startsWith('?')) continue
    if (data !== undefined) open.at(-1)!.children.push(decode(data))
    else if (closing === '/') {
      if (open.pop()?.name !== name) throw new Error(`${whole} closes nothing`)
    } else {
      const pairs = [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [
        key,
        decode(value),
      ])
      const node: Node = {
        name,
        attributes: Object.fromEntries(pairs) as Record<string, string>,
        children: [],
      }
      open.at(-1)!.children.push(node)
      if (alone === '') open.push(node)
    }
  }
  if (end !== text.length || open.length !== 1) throw new Error(`not well-formed at ${end}`)
  return root
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }

function decode(text: string): string {
  if (/&(?!(?:amp|lt|gt|quot|#\d+);)/.test(text)) throw new Error(`a bare & in ${text}`)
  return text.replaceAll(/&(#?)(\w+);/g, (_, sharp: string, name: string) =>
    sharp === '' ? (ENTITIES[name] ?? '') : String.fromCodePoint(Number(name)),
  )
}

const nodes = (node: Node | undefined): readonly Node[] =>
  (node?.children ?? []).filter((child) => typeof child !== 'string')

const REFUSED = podText('{iops-limit/limit: "<&\\u0000\\u001b\\ud800\\">"}', '"a<b>&\\u0007"')
const TEXT = `${REFUSED}---\n${podText()}---\n${podText('{iops-limit/limit: "5"}')}---\nkind: [\n`

test('JUnit: a case a workload, failures and errors told, well-formed whatever the manifests hold', async () => {
  const { code, stdout } = await reviewText(TEXT, ['-o', 'junit'])
  expect(code).toBe(2)
  const [suites] = nodes(parseXml(stdout))
  const [suite] = nodes(suites)
  expect(suite?.attributes).toEqual({
    name: 'iops-limit review',
    tests: '4',
    failures: '1',
    errors: '1',
    skipped: '0',
  })
  expect(suites?.attributes).toEqual(suite?.attributes)
  const cases = nodes(suite)
  expect(cases.map(({ name, attributes }) => [name, attributes['name'], attributes['classname']])).toEqual([
    ['testcase', 'Pod team/a<b>&\\u0007', '-'],
    ['testcase', 'Pod team/p', '-'],
    ['testcase', 'Pod team/p', '-'],
    ['testcase', 'input', '-'],
  ])
  expect(cases.map((each) => nodes(each).map(({ name }) => name))).toEqual([
    ['failure'],
    ['system-out'],
    [],
    ['error'],
  ])
  const [failure] = nodes(cases[0])
  expect(failure?.attributes['message']).toMatch(/^refused: iops-limit\/limit: /)
  expect(failure?.children[0]).toMatch(/^-:6:17: refused: iops-limit\/limit: /)
})

test('JUnit: a pod that no policy reaches is skipped, an unknown namespace is an error', async () => {
  const skipped = await reviewText(
    `${podText()}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n`,
    ['-o', 'junit'],
  )
  expect(skipped.stdout).toContain('<skipped message="namespace team has not opted in"></skipped>')
  const argv = ['-o', 'junit', '--fail-on', 'default']
  expect((await reviewText(podText(), argv)).stdout).toContain(
    '<failure message="defaulted: gold/everything-else fills in',
  )
})
