import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rootField } from '../../../contract/reader.ts'
import { checkSize, parseGlob, parseRegex, readGlobs, readRegexes } from '../../../webhook/policy/pattern.ts'

const regex = (source: string) => {
  const pattern = parseRegex(source)
  if (typeof pattern === 'string') throw new Error(pattern)
  return pattern
}

describe('globs', () => {
  it.each([
    ['pause', 'pause', true],
    ['pause', 'my-pausing-app', false],
    ['*pause*', 'my-pausing-app', false],
    ['*paus*', 'my-pausing-app', true],
    ['*-exporter', 'node-exporter', true],
    ['*-exporter', 'exporter', false],
    ['*/pause:*', 'registry.test/a/pause:3.9', true],
    ['*/pause:*', 'pause:3.9', false],
    ['istio-pr?xy', 'istio-proxy', true],
    ['istio-pr?xy', 'istio-prxy', false],
    ['*', '', true],
    ['?', '', false],
    ['?*', 'a', true],
    ['a?*', 'a', false],
    ['a?*', 'bc', false],
    ['*?b', 'aab', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-b-c-d', false],
    ['[a]', '[a]', true],
    ['a.c', 'abc', false],
    ['**', 'anything', true],
  ])('%s on %s: %s', (glob, text, matches) => {
    expect(parseGlob(glob).matches(text)).toBe(matches)
  })

  it('means what the same pattern means as a regular expression', () => {
    const letters = (from: string) =>
      fc.array(fc.constantFrom(...Array.from(from)), { maxLength: 12 }).map((all) => all.join(''))
    fc.assert(
      fc.property(letters('ab*?'), letters('ab'), (glob, text) => {
        const source = glob.replaceAll('*', '.*').replaceAll('?', '.')
        expect(parseGlob(glob).matches(text)).toBe(regex(source).matches(text))
      }),
    )
  })
})

describe('regular expressions', () => {
  it.each([
    ['pause', 'pause', true],
    ['pause', 'my-pausing-app', false],
    ['.*pause.*', 'my-pause-app', true],
    ['(istio|linkerd)-proxy', 'linkerd-proxy', true],
    ['.*@sha256:[0-9a-f]{64}', `reg/app@sha256:${'a'.repeat(64)}`, true],
    ['a|ab', 'ab', true],
    ['^pause$', 'pause', true],
  ])('%s matches the whole of %s: %s', (source, text, matches) => {
    expect(regex(source).matches(text)).toBe(matches)
  })

  it.each([
    ['(a', 'error parsing regexp: missing closing ): `(a`'],
    ['(?=a)', 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
    ['(a)\\1', 'error parsing regexp: invalid escape sequence: `\\1`'],
  ])('refuses %s', (source, message) => {
    expect(parseRegex(source)).toBe(message)
    const field = rootField([source], 'images')
    expect(readRegexes(field)).toEqual([])
    expect(field.problems).toEqual([
      {
        field: 'images[0]',
        value: source,
        reason: `is not a regular expression: ${message}`,
        cure: 'write RE2 syntax (no look-around, no back-references)',
      },
    ])
  })
})

describe('hostile patterns', () => {
  /** Exponential in a backtracking engine: it would take longer than the universe has stood. */
  it.each(['(a+)+b', '(a|a)*b', '(a|aa)+b', '(.*a){20}b', '([a-z]+)*=', '(x+x+)+y'])('%s ends', (source) => {
    expect(regex(source).matches('a'.repeat(512))).toBe(false)
  })

  it('ends for globs of many stars', () => {
    expect(parseGlob('*a'.repeat(128)).matches(`${'a'.repeat(500)}b`)).toBe(false)
  })

  it('refuses patterns that are empty or longer than 256, each by its place in the list', () => {
    const field = rootField(['', 'x'.repeat(257), 'fine'], 'names')
    expect(readGlobs(field)).toHaveLength(1)
    expect(readRegexes(field)).toHaveLength(1)
    const problems = [
      { field: 'names[0]', value: '', reason: 'is a pattern of 0 characters', cure: 'write 1 to 256' },
      {
        field: 'names[1]',
        value: 'x'.repeat(257),
        reason: 'is a pattern of 257 characters',
        cure: 'write 1 to 256',
      },
    ]
    expect(field.problems).toEqual([...problems, ...problems])
  })

  it('refuses a regular expression that unfolds to a large program', () => {
    const hostile = '.{0,1000}.{0,1000}.{0,1000}.{0,1000}x'
    const field = rootField(['.*', hostile, 3], 'imageRegexes')
    expect(readRegexes(field)).toHaveLength(1)
    expect(field.problems).toEqual([
      {
        field: 'imageRegexes[1]',
        value: hostile,
        reason: 'unfolds to 8011 steps, and 500 are taken',
        cure: 'write * or + in place of large repeat counts',
      },
      {
        field: 'imageRegexes[2]',
        value: '3',
        reason: 'is a number, not a text',
        cure: 'write a text, in quotes where it looks like a number',
      },
    ])
  })

  it.each([
    '.*@sha256:[0-9a-f]{64}',
    'registry\\.example\\.com/(team-[a-z]+|tools)/.*',
    '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?',
  ])('takes %s', (source) => {
    const field = rootField([source], 'imageRegexes')
    expect(readRegexes(field)).toHaveLength(1)
    expect(field.problems).toEqual([])
  })

  it('refuses a list that is large as a whole', () => {
    const field = rootField({}, 'exemptContainers')
    checkSize(field, 'images', [parseGlob('*'.repeat(9)), regex('a{400}'), regex('b{400}'), parseGlob('x')])
    expect(field.problems).toEqual([])
    checkSize(
      field,
      'images',
      [1, 2, 3].map(() => regex('a{400}')),
    )
    expect(field.problems).toEqual([
      {
        field: 'exemptContainers',
        reason: 'holds patterns for images of 1230 steps together, and 1000 are taken',
        cure: 'write fewer or simpler patterns',
      },
    ])
  })
})
