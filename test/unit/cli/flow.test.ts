import { describe, expect, it } from 'vitest'
import { readEvents } from '../../../webhook/cli/manifest/events.ts'
import { parseManifest } from '../../../webhook/cli/manifest/parse.ts'
import { reviewText } from '../../support/cli/folder.ts'

const valuesOf = (text: string): readonly unknown[] => parseManifest(text).documents.map(({ value }) => value)

describe('a bracket that closes below its key, as Kubernetes reads it', () => {
  it.each([
    ['a list', 'args: [\n  x,\n]\nb: 1\n', [{ args: ['x'], b: 1 }]],
    ['a map', 'a: {\n  x: 1\n}\n', [{ a: { x: 1 } }]],
    ['below a comment', 'a: [ # one\n  "x # y", # two\n# three\n]\n', [{ a: ['x # y'] }]],
    ['with CRLF', 'a: [\r\n  x\r\n]\r\nb: 1\r\n', [{ a: ['x'], b: 1 }]],
    ['items no further in than the key', 'a:\n  b: [\n  x, z\n  ]\n', [{ a: { b: ['x', 'z'] } }]],
  ])('%s', (_, text, values) => {
    expect(valuesOf(text)).toEqual(values)
    expect(parseManifest(text).faults).toEqual([])
  })

  it('moves nothing: what stands behind it is found where it is', () => {
    const text = 'a: [ # one\n  x,\n]\nbad: 1\n'
    expect(readEvents(text).source).toHaveLength(text.length)
    expect(readEvents(text).source.indexOf('bad')).toBe(text.indexOf('bad'))
  })

  it('stays as it was written where something else is patched', async () => {
    const pod = (annotations: string): string =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: team${annotations}}\nspec:\n  containers:\n  - name: c\n    image: i\n    args: [\n      x, # why\n    ]\n`
    const { code, stdout } = await reviewText(pod(''), ['--patched'])
    expect(code).toBe(0)
    expect(stdout).toContain('    args: [\n      x, # why\n    ]\n')
    expect(stdout).toContain('iops-limit/policy: "gold/everything-else"')
  })

  it('is a fault where nothing closes', () => {
    const { faults } = parseManifest('a: [\nb: 1\nc: 2\n')
    expect(faults).toHaveLength(1)
  })
})
