import { describe, expect, test } from 'vitest'
import { parseManifest } from '../../../../webhook/cli/manifest/parse.ts'
import { joinStretches, patchPiece } from '../../../../webhook/cli/manifest/patch.ts'

const valueOf = (text: string): unknown =>
  (parseManifest(`a: ${text}\n`).documents[0]?.value as { a: unknown }).a

// go.yaml.in/yaml/v2, resolve.go, by which kubectl reads.
describe('unquoted words mean what kubectl makes of them', () => {
  test.each([
    ['yes', true],
    ['On', true],
    ['n', false],
    ['OFF', false],
    ['~', null],
    ['', null],
    ['NULL', null],
    ['010', 8],
    ['0o10', 8],
    ['0x1F', 31],
    ['0b101', 5],
    ['1_000', 1000],
    ['-12', -12],
    ['18446744073709551615', 18_446_744_073_709_551_615n],
    ['18446744073709551616', 18_446_744_073_709_552_000],
    ['1e3', 1000],
    ['.5', 0.5],
    ['-.inf', Number.NEGATIVE_INFINITY],
    ['2024-01-01', '2024-01-01'],
    ['09', 9],
    ['1.2.3', '1.2.3'],
    ['yEs', 'yEs'],
    ['!Ref name', 'name'],
    ['!!str 5', '5'],
  ])('%s', (text, expected) => {
    expect(valueOf(text)).toEqual(expected)
  })
})

test('what is printed anew says the same, words that look like something else among them', () => {
  const words = [
    'y',
    'n',
    'on',
    'OFF',
    '010',
    '0o7',
    '1_000',
    '1e3',
    '.inf',
    '~',
    'null',
    '',
    ' x',
    'a: b',
    '# c',
    '-',
    '2024-01-01',
    '0b1',
    'a\nb\n',
    '\u0007',
  ]
  const value = { x: words.map((word) => ({ [word]: word })), big: 18_446_744_073_709_551_615n, number: 5 }
  const text = `x: ${JSON.stringify(value.x)}\nbig: 18446744073709551615\nnumber: 5\nm: &m {k: v}\nmetadata: *m\n`
  const edit = { object: [], map: 'annotations', set: { y: 'on' }, remove: [], index: 0 } as const
  const { stretches, anew } = patchPiece({ text, start: 0 }, [edit])
  expect(anew).toBe(true)
  expect(parseManifest(joinStretches(stretches)).documents[0]?.value).toEqual({
    ...value,
    m: { k: 'v' },
    metadata: { k: 'v', annotations: { y: 'on' } },
  })
})
