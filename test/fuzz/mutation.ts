/** Texts made from texts. */
import type { Random } from '../support/random.ts'

const INTERESTING = [
  ...['', '0', '1', '-1', '2', '4294967294', '4294967295', '18446744073709551615', '1e9', '0.5', 'max', 'Mi'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'null',
    'true',
    '{}',
    '[]',
    '""',
    '"',
    "'",
    '\\',
    '\0',
    '\n',
    '\r\n',
  ],
  ...[
    '\u2028',
    '\ud800',
    'é',
    '💾',
    ' ',
    '\t',
    ',',
    '=',
    ':',
    ';',
    '/',
    '~',
    '!',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
  ],
  ...[
    '*',
    '?',
    '+',
    '|',
    '#',
    '%',
    '&',
    '<<: ',
    '- ',
    '---\n',
    '&a ',
    '*a',
    '!!binary ',
    ' in (',
    ' notin (',
    '!=',
  ],
]

/** One to four changes at random places; now and then a piece of another text of the pool. */
export function mutate(text: string, pool: readonly string[], random: Random): string {
  let mutated = text
  for (let times = 1 + random.below(4); times > 0; times -= 1) mutated = change(mutated, pool, random)
  return mutated.slice(0, LONGEST)
}

const LONGEST = 20_000

function change(text: string, pool: readonly string[], { below, pick }: Random): string {
  const at = below(text.length + 1)
  const end = Math.min(text.length, at + 1 + below(8))
  const insert = (piece: string): string => text.slice(0, at) + piece + text.slice(at)
  switch (below(8)) {
    case 0:
      return text.slice(0, at) + text.slice(end)
    case 1:
      return insert(pick(INTERESTING))
    case 2:
      return text.slice(0, at) + pick(INTERESTING) + text.slice(end)
    case 3:
      return text.slice(0, at) + String.fromCharCode(below(128)) + text.slice(at + 1)
    case 4:
      return insert(text.slice(at, end).repeat(1 + below(20)))
    case 5:
      return (
        text.slice(0, at) +
        String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << below(7))) +
        text.slice(at + 1)
      )
    case 6: {
      const other = pick(pool)
      const from = below(other.length + 1)
      return insert(other.slice(from, from + 1 + below(60)))
    }
    default:
      return (
        text.slice(0, at) + text.slice(at).replace(/\d+/, pick(['0', '1', '65536', '999999999999999999999']))
      )
  }
}
