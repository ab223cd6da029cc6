/**
 * Manifests by other people, out of the Go modules that ship them: read when the test runs, never copied. What comes out of
 * `review --patched` is compared by another YAML parser than the one inside.
 */
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { isCollection, isNode, type ParsedNode, parseAllDocuments, visit } from 'yaml'
import { isOurKey } from '../../contract/keys.ts'
import { UNDER_GOLD } from '../support/cli/folder.ts'
import { fetchModule, listManifests } from '../support/cli/modules.ts'
import { type Ended, runCommand } from '../support/cli/run.ts'

/** Each with the folders of it that hold manifests. */
const MODULES: Readonly<Record<string, readonly string[]>> = {
  'k8s.io/kubernetes@v1.35.4': ['test/e2e/testing-manifests', 'cluster', 'test/fixtures', 'test/images'],
  'k8s.io/api@v0.35.4': ['testdata/HEAD'],
  'istio.io/istio@v0.0.0-20260827124520-eed52ebb66ad': ['samples', 'pkg/kube/inject/testdata/inject'],
}

interface Foreign {
  readonly name: string
  readonly text: string
  /** Of the other parser; undefined where that cannot read it either: templates, and files that are broken on purpose. */
  readonly values: readonly unknown[] | undefined
}

let foreign: readonly Foreign[]
let reviewed: ReadonlyMap<Foreign, Ended>

beforeAll(async () => {
  foreign = (await Promise.all(Object.entries(MODULES).map(readModule))).flat()
  const ended = new Map<Foreign, Ended>()
  for (const each of foreign) ended.set(each, await review(each.text))
  reviewed = ended
}, 300_000)

async function readModule([module, folders]: readonly [string, readonly string[]]): Promise<
  readonly Foreign[]
> {
  const root = await fetchModule(module)
  const paths = await Promise.all(folders.map((folder) => listManifests(join(root, folder))))
  return await Promise.all(
    paths
      .flat()
      .filter(isManifest)
      .map(async (path) => {
        const text = await readFile(path, 'utf8')
        return { name: relative(root, path), text, values: readValues(text) }
      }),
  )
}

/** No data of programs; and no review whose every field has its own name for a value: nobody recorded that. */
const isManifest = (path: string): boolean => !/\/src\/|AdmissionReview/.test(path)

const review = (text: string): Promise<Ended> =>
  runCommand(['review', '-', '--patched', '--verbose', ...UNDER_GOLD], { stdin: text })

function readValues(text: string): readonly unknown[] | undefined {
  try {
    const documents = parseAllDocuments(text, { merge: true, logLevel: 'silent', uniqueKeys: true })
    if ('empty' in documents) return []
    if (documents.some(({ errors }) => errors.length > 0)) return undefined
    const isTemplate = documents.some(({ contents }) => hasMapForKey(contents))
    if (isTemplate) return undefined
    return documents.map((document): unknown => document.toJS()).filter((value) => value !== null)
  } catch {
    return undefined
  }
}

/** `{{pillar['x']}}` is YAML, and no manifest: Kubernetes knows keys that are texts. */
function hasMapForKey(contents: ParsedNode | null): boolean {
  let found = false
  visit(contents, { Pair: (_, { key }) => void (found ||= isCollection(key)) })
  return found
}

/** Our keys gone, and maps with them that have nothing else in them: those stood nowhere before. */
function withoutOurs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutOurs)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value)
    .filter(([key]) => !isOurKey(key))
    .map(([key, inner]) => [key, withoutOurs(inner)] as const)
    .filter(([key, inner]) => !(isHolder(key) && (inner === null || isEmpty(inner))))
  return Object.fromEntries(kept)
}

const isHolder = (key: string): boolean => key === 'annotations' || key === 'metadata'
const isEmpty = (value: unknown): boolean => isDeepStrictEqual(value, {})

const isReadable = ({ values }: Foreign): boolean => values !== undefined
const endOf = (each: Foreign): Ended => reviewed.get(each) ?? { code: -1, stdout: '', stderr: '' }

/** Comments, wherever they stand. */
function listComments(text: string): readonly string[] {
  const found: string[] = []
  const documents = parseAllDocuments(text, { logLevel: 'silent' })
  for (const document of 'empty' in documents ? [] : documents) {
    for (const each of [document.commentBefore, document.comment]) found.push(...(each ?? '').split('\n'))
    visit(document, (_, node) => {
      if (!isNode(node)) return
      for (const each of [node.commentBefore, node.comment]) found.push(...(each ?? '').split('\n'))
    })
  }
  return found
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .sort()
}

describe('manifests by other people', () => {
  it('are more than 200 with pods in them, and more than 200 without', () => {
    const codes = Map.groupBy(foreign.filter(isReadable), (each) => endOf(each).code)
    expect(codes.get(0)?.length).toBeGreaterThan(200)
    expect(foreign.length).toBeGreaterThan(400)
  })

  it('are read, and none is refused', () => {
    const wrong = foreign
      .filter(isReadable)
      .map((each) => ({ name: each.name, ...endOf(each) }))
      .filter(({ code }) => code !== 0 && code !== 3)
    expect(wrong.map(({ name, code, stderr }) => ({ name, code, stderr }))).toEqual([])
  })

  it('are told the line where they are no YAML, as another parser finds too', () => {
    const broken = foreign.filter((each) => !isReadable(each))
    for (const each of broken) {
      const { code, stderr } = endOf(each)
      expect({ name: each.name, code }).toEqual({ name: each.name, code: 2 })
      expect(stderr).toMatch(/-:\d+:\d+: /)
    }
    expect(broken.length).toBeGreaterThan(0)
  })

  it('lose nothing: the stored form is the source, apart from our annotations', () => {
    const changed = foreign.filter(isReadable).filter((each) => {
      const stored = readValues(endOf(each).stdout)
      return !isDeepStrictEqual(stored?.map(withoutOurs), each.values?.map(withoutOurs))
    })
    expect(changed.map(({ name }) => name)).toEqual([])
  })

  it('keep their comments', () => {
    const poorer = foreign
      .filter(isReadable)
      .filter((each) => !isDeepStrictEqual(listComments(endOf(each).stdout), listComments(each.text)))
    expect(poorer.map(({ name }) => name)).toEqual([])
  })

  it('are stable: what admission stored, it stores again', async () => {
    const stored = foreign.filter(isReadable).filter((each) => endOf(each).code === 0)
    for (const each of stored) {
      const { stdout } = endOf(each)
      const again = await review(stdout)
      expect({ name: each.name, text: again.stdout }).toEqual({ name: each.name, text: stdout })
    }
    expect(stored.length).toBeGreaterThan(0)
  }, 300_000)
})
