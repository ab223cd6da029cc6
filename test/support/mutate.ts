/** Spoilt input, made from good input. */
import type { Random } from './random.ts'

/** The text cut off somewhere, or with a piece taken out of the middle, or with a byte turned. */
export function cutText(text: string, { below, pick }: Random): string {
  const at = below(text.length)
  switch (pick(['end', 'middle', 'byte'])) {
    case 'end':
      return text.slice(0, at)
    case 'middle':
      return text.slice(0, at) + text.slice(at + 1 + below(40))
    default:
      return text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1)
  }
}

const STRANGE: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  0.5,
  '',
  ' ',
  'x',
  '\u0000',
  '\ud800',
  'ärger 💾',
  '__proto__',
  'constructor',
  '9'.repeat(400),
  'a'.repeat(70_000),
  '1e999999999',
  '10Mi',
  'max',
  '${x}',
  '../../etc',
  [],
  [null],
  [[[[]]]],
  {},
  { a: { b: {} } },
  { __proto__: null, length: -1 },
  { toString: 5 },
]

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  '',
  'iops-limit/limit',
  'iops-limit/policy',
  'items',
  'kind',
  'a/b~c',
  '\n',
]

/** A deep copy with 1 to 3 fields replaced, removed, renamed, doubled or added at random places. */
export function replaceFields(value: unknown, random: Random): unknown {
  const copy: unknown = structuredClone(value)
  for (let times = 1 + random.below(3); times > 0; times--) spoil(copy, random)
  return copy
}

function spoil(root: unknown, random: Random): void {
  const holder = random.pick(findHolders(root))
  const keys = Object.keys(holder)
  const key = keys.length > 0 ? random.pick(keys) : 'x'
  switch (random.pick(['replace', 'replace', 'replace', 'remove', 'rename', 'add'])) {
    case 'remove':
      Reflect.deleteProperty(holder, key)
      break
    case 'rename':
      define(holder, random.pick(KEYS), Reflect.get(holder, key))
      Reflect.deleteProperty(holder, key)
      break
    case 'add':
      define(holder, random.pick(KEYS), structuredClone(random.pick(STRANGE)))
      break
    default:
      define(holder, key, structuredClone(random.pick(STRANGE)))
  }
}

/** As JSON.parse does it: `__proto__` becomes a key like any other. */
const define = (holder: object, key: string, value: unknown): void => {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Every object and list inside; a root that is neither is wrapped. */
function findHolders(root: unknown): readonly object[] {
  if (typeof root !== 'object' || root === null) return [{ root }]
  return [
    root,
    ...Object.values(root).flatMap((value: unknown) =>
      typeof value === 'object' && value !== null ? findHolders(value) : [],
    ),
  ]
}
