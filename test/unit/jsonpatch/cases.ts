/** What RFC 6902 (JSON Patch) and RFC 6901 (JSON Pointer) demand of a library, as data. */

export interface Case {
  readonly name: string
  readonly document: unknown
  readonly patch: readonly unknown[]
  /** Absent: the patch has to be refused. */
  readonly outcome?: unknown
}

/** RFC 6902, Appendix A, in its order; A.13 (a member twice in one object) cannot be said in JavaScript. */
const APPENDIX: readonly Case[] = [
  {
    name: 'A.1 adding an object member',
    document: { foo: 'bar' },
    patch: [{ op: 'add', path: '/baz', value: 'qux' }],
    outcome: { foo: 'bar', baz: 'qux' },
  },
  {
    name: 'A.2 adding an array element',
    document: { foo: ['bar', 'baz'] },
    patch: [{ op: 'add', path: '/foo/1', value: 'qux' }],
    outcome: { foo: ['bar', 'qux', 'baz'] },
  },
  {
    name: 'A.3 removing an object member',
    document: { baz: 'qux', foo: 'bar' },
    patch: [{ op: 'remove', path: '/baz' }],
    outcome: { foo: 'bar' },
  },
  {
    name: 'A.4 removing an array element',
    document: { foo: ['bar', 'qux', 'baz'] },
    patch: [{ op: 'remove', path: '/foo/1' }],
    outcome: { foo: ['bar', 'baz'] },
  },
  {
    name: 'A.5 replacing a value',
    document: { baz: 'qux', foo: 'bar' },
    patch: [{ op: 'replace', path: '/baz', value: 'boo' }],
    outcome: { baz: 'boo', foo: 'bar' },
  },
  {
    name: 'A.6 moving a value',
    document: { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
    patch: [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
    outcome: { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
  },
  {
    name: 'A.7 moving an array element',
    document: { foo: ['all', 'grass', 'cows', 'eat'] },
    patch: [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
    outcome: { foo: ['all', 'cows', 'eat', 'grass'] },
  },
  {
    name: 'A.8 testing a value: success',
    document: { baz: 'qux', foo: ['a', 2, 'c'] },
    patch: [
      { op: 'test', path: '/baz', value: 'qux' },
      { op: 'test', path: '/foo/1', value: 2 },
    ],
    outcome: { baz: 'qux', foo: ['a', 2, 'c'] },
  },
  {
    name: 'A.9 testing a value: error',
    document: { baz: 'qux' },
    patch: [{ op: 'test', path: '/baz', value: 'bar' }],
  },
  {
    name: 'A.10 adding a nested member object',
    document: { foo: 'bar' },
    patch: [{ op: 'add', path: '/child', value: { grandchild: {} } }],
    outcome: { foo: 'bar', child: { grandchild: {} } },
  },
  {
    name: 'A.11 ignoring unrecognized elements',
    document: { foo: 'bar' },
    patch: [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }],
    outcome: { foo: 'bar', baz: 'qux' },
  },
  {
    name: 'A.12 adding to a nonexistent target',
    document: { foo: 'bar' },
    patch: [{ op: 'add', path: '/baz/bat', value: 'qux' }],
  },
  {
    name: 'A.14 ~ escape ordering',
    document: { '/': 9, '~1': 10 },
    patch: [{ op: 'test', path: '/~01', value: 10 }],
    outcome: { '/': 9, '~1': 10 },
  },
  {
    name: 'A.15 comparing strings and numbers',
    document: { '/': 9, '~1': 10 },
    patch: [{ op: 'test', path: '/~01', value: '10' }],
  },
  {
    name: 'A.16 adding an array value',
    document: { foo: ['bar'] },
    patch: [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }],
    outcome: { foo: ['bar', ['abc', 'def']] },
  },
]

/** What goes wrong in practice, on the paths that a webhook for pods writes. */
const PRACTICE: readonly Case[] = [
  {
    name: 'a key with a slash and one with a tilde',
    document: { metadata: { annotations: {} } },
    patch: [
      { op: 'add', path: '/metadata/annotations/iops-limit~1limit', value: '500' },
      { op: 'add', path: '/metadata/annotations/a~0b', value: 'x' },
    ],
    outcome: { metadata: { annotations: { 'iops-limit/limit': '500', 'a~b': 'x' } } },
  },
  {
    name: 'an add over what is there replaces it',
    document: { a: { b: 1 } },
    patch: [{ op: 'add', path: '/a', value: { c: 2 } }],
    outcome: { a: { c: 2 } },
  },
  {
    name: 'an add below a missing map',
    document: { metadata: {} },
    patch: [{ op: 'add', path: '/metadata/annotations/x', value: 'y' }],
  },
  {
    name: 'an add below a null map',
    document: { metadata: { annotations: null } },
    patch: [{ op: 'add', path: '/metadata/annotations/x', value: 'y' }],
  },
  {
    name: 'an add below a text',
    document: { metadata: { annotations: 'text' } },
    patch: [{ op: 'add', path: '/metadata/annotations/x', value: 'y' }],
  },
  {
    name: 'an add of a map over null',
    document: { metadata: { annotations: null } },
    patch: [{ op: 'add', path: '/metadata/annotations', value: { x: 'y' } }],
    outcome: { metadata: { annotations: { x: 'y' } } },
  },
  { name: 'a replace of what is missing', document: {}, patch: [{ op: 'replace', path: '/a', value: 1 }] },
  { name: 'a remove of what is missing', document: {}, patch: [{ op: 'remove', path: '/a' }] },
  {
    name: 'a replace of null',
    document: { a: null },
    patch: [{ op: 'replace', path: '/a', value: 1 }],
    outcome: { a: 1 },
  },
  { name: 'a remove of null', document: { a: null }, patch: [{ op: 'remove', path: '/a' }], outcome: {} },
  { name: 'a move of what is missing', document: {}, patch: [{ op: 'move', from: '/a', path: '/b' }] },
  { name: 'a copy of what is missing', document: {}, patch: [{ op: 'copy', from: '/a', path: '/b' }] },
  {
    name: 'a move into itself',
    document: { a: { b: {} } },
    patch: [{ op: 'move', from: '/a', path: '/a/b' }],
  },
  {
    name: 'a copy is not the same object',
    document: { a: { x: 1 } },
    patch: [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/b/y', value: 2 },
    ],
    outcome: { a: { x: 1 }, b: { x: 1, y: 2 } },
  },
  {
    name: 'a test of a whole map, in another order',
    document: { a: { x: 1, y: [2] } },
    patch: [{ op: 'test', path: '/a', value: { y: [2], x: 1 } }],
    outcome: { a: { x: 1, y: [2] } },
  },
  {
    name: 'a test for null of what is missing',
    document: {},
    patch: [{ op: 'test', path: '/a', value: null }],
  },
  {
    name: 'a failed test undoes what came before it',
    document: { a: 1 },
    patch: [
      { op: 'add', path: '/b', value: 2 },
      { op: 'test', path: '/a', value: 2 },
    ],
  },
  {
    name: 'an empty key',
    document: {},
    patch: [{ op: 'add', path: '/', value: 1 }],
    outcome: { '': 1 },
  },
  {
    name: 'the whole document',
    document: { a: 1 },
    patch: [{ op: 'replace', path: '', value: { b: 2 } }],
    outcome: { b: 2 },
  },
  {
    name: 'an element at the end',
    document: [1],
    patch: [{ op: 'add', path: '/1', value: 2 }],
    outcome: [1, 2],
  },
  { name: 'an element past the end', document: [1], patch: [{ op: 'add', path: '/2', value: 2 }] },
  { name: 'a remove past the end', document: [1], patch: [{ op: 'remove', path: '/1' }] },
  { name: 'a remove of "-"', document: [1], patch: [{ op: 'remove', path: '/-' }] },
  { name: 'an index with a leading zero', document: [1, 2], patch: [{ op: 'add', path: '/01', value: 3 }] },
  { name: 'a negative index', document: [1, 2], patch: [{ op: 'add', path: '/-1', value: 3 }] },
  { name: 'an index that is no number', document: [1, 2], patch: [{ op: 'add', path: '/one', value: 3 }] },
  { name: 'an index like a number', document: [1, 2], patch: [{ op: 'add', path: '/1e0', value: 3 }] },
  { name: 'an unknown operation', document: {}, patch: [{ op: 'merge', path: '/a', value: 1 }] },
  { name: 'no operation', document: {}, patch: [{ path: '/a', value: 1 }] },
  { name: 'no path', document: {}, patch: [{ op: 'add', value: 1 }] },
  { name: 'a path without its slash', document: {}, patch: [{ op: 'add', path: 'a', value: 1 }] },
  { name: 'no value', document: {}, patch: [{ op: 'add', path: '/a' }] },
  { name: 'no from', document: { a: 1 }, patch: [{ op: 'move', path: '/a' }] },
  { name: 'a remove of what is only inherited', document: {}, patch: [{ op: 'remove', path: '/toString' }] },
  {
    name: 'a replace of what is only inherited',
    document: {},
    patch: [{ op: 'replace', path: '/toString', value: 1 }],
  },
  {
    name: 'a move of what is only inherited',
    document: {},
    patch: [{ op: 'move', from: '/toString', path: '/a' }],
  },
  {
    name: 'a test of what is only inherited',
    document: {},
    patch: [{ op: 'test', path: '/toString', value: null }],
  },
]

/** Patches that reach for the prototype of an object: to be refused. */
export const POLLUTIONS: readonly (readonly unknown[])[] = [
  [{ op: 'add', path: '/__proto__', value: { polluted: true } }],
  [{ op: 'add', path: '/__proto__/polluted', value: true }],
  [{ op: 'add', path: '/constructor/prototype/polluted', value: true }],
  [{ op: 'add', path: '/metadata/__proto__', value: { polluted: true } }],
  [{ op: 'add', path: '/metadata/__proto__/polluted', value: true }],
  [{ op: 'add', path: '/metadata/constructor/prototype/polluted', value: true }],
  [{ op: 'replace', path: '/__proto__/toString', value: true }],
  [{ op: 'copy', from: '/metadata', path: '/__proto__/polluted' }],
  [{ op: 'move', from: '/metadata', path: '/constructor/prototype/polluted' }],
]

export const CASES: readonly Case[] = [...APPENDIX, ...PRACTICE]
