import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findRoom, formatRooms, ROOMS } from './rooms.ts'
import { findBreaches } from './walls.ts'

const FLOORS = [...new Set(ROOMS.map(({ folder }) => folder.split('/')[0] ?? ''))]

const sources = FLOORS.flatMap((floor) =>
  readdirSync(floor, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?[jt]sx?$/.test(name))
    .map((name) => `${floor}/${name}`),
)

describe('the house', () => {
  test('no file imports what its room may not', () => {
    expect(sources).toContain('contract/keys.ts')
    expect(sources.flatMap((path) => findBreaches(path, readFileSync(path, 'utf8')))).toEqual([])
  })

  test('the table of the architecture page is the table that is checked', () => {
    expect(readFileSync('docs/architecture.md', 'utf8')).toContain(formatRooms())
  })

  test.each(ROOMS)('$folder leads to known rooms, and to none that leads back', ({ folder, rooms }) => {
    for (const name of rooms) {
      expect(ROOMS.find((room) => room.folder === name)?.rooms).toBeDefined()
      expect(ROOMS.find((room) => room.folder === name)?.rooms).not.toContain(folder)
    }
    expect(rooms).not.toContain(folder)
  })
})

describe('findRoom', () => {
  test.each([
    ['contract/keys.ts', 'contract'],
    ['webhook/main.ts', 'webhook'],
    ['webhook/policy/decide.ts', 'webhook/policy'],
    ['webhook/policy/deep/er.ts', 'webhook/policy'],
    ['webhook/policyish.ts', 'webhook'],
    ['enforcer/core/plan.ts', 'enforcer/core'],
    ['contracts/keys.ts', undefined],
    ['test/house/rooms.ts', undefined],
  ])('%s is in %s', (path, folder) => {
    expect(findRoom(path)?.folder).toBe(folder)
  })
})

describe('findBreaches', () => {
  const breach = (room: string, specifier: string): string =>
    `${room}/planted.ts imports ${specifier}, and ${room} may not`

  test.each([
    ['an import', `import { decide } from '../webhook/policy/decide.ts'`],
    ['a type import', `import type { Verdict } from '../webhook/policy/decide.ts'`],
    ['an inline type import', `import { type Verdict } from '../webhook/policy/decide.ts'`],
    ['an import for its effects', `import '../webhook/policy/decide.ts'`],
    ['a namespace import', `import * as all from '../webhook/policy/decide.ts'`],
    ['a re-export', `export { decide } from '../webhook/policy/decide.ts'`],
    ['a re-export of everything', `export * from '../webhook/policy/decide.ts'`],
    ['a re-export of a type', `export type { Verdict } from '../webhook/policy/decide.ts'`],
    ['a dynamic import', `const it = await import('../webhook/policy/decide.ts')`],
    ['a dynamic import in backquotes', 'const it = await import(`../webhook/policy/decide.ts`)'],
    ['a dynamic import in a function', `export const f = () => import('../webhook/policy/decide.ts')`],
    ['a type in place', `export type V = import('../webhook/policy/decide.ts').Verdict`],
    ['a require', `const it = require('../webhook/policy/decide.ts')`],
    ['a reference', `/// <reference path="../webhook/policy/decide.ts" />`],
    ['a way round', `import { decide } from '.././contract/../webhook/policy/decide.ts'`],
    ['a way out of the house', `import { x } from '../../elsewhere/webhook/policy/x.ts'`],
    ['an absolute path', `import { x } from '/contract/keys.ts'`],
    ['a package', `import express from 'express'`],
    ['a part of a package', `import { x } from 'express/lib/router'`],
    ['a scoped package', `import type { V1Pod } from '@kubernetes/client-node'`],
    ['a module of Node', `import { readFileSync } from 'node:fs'`],
    ['a module of Node by its old name', `import { readFileSync } from 'fs'`],
    ['test code', `import { findRoom } from '../test/house/rooms.ts'`],
  ])('finds %s', (_, source) => {
    const specifier = /['"`]([^'"`]+)['"`]/.exec(source)?.[1] ?? ''
    expect(findBreaches('contract/planted.ts', source)).toEqual([breach('contract', specifier)])
  })

  test('finds an import whose module is computed', () => {
    expect(findBreaches('contract/planted.ts', 'await import(`../webhook/${name}.ts`)')).toEqual([
      'contract/planted.ts computes what it imports: import(`../webhook/${name}.ts`)',
    ])
  })

  test('finds a file outside every room', () => {
    expect(findBreaches('shared/planted.ts', '')).toEqual([
      'shared/planted.ts is in no room: add one to test/house/rooms.ts, or move the file',
    ])
  })

  test.each([
    ['enforcer', '../webhook/policy/decide.ts'],
    ['enforcer', '../certs/ca.ts'],
    ['enforcer/core', '../write.ts'],
    ['enforcer/core', '../../settings/option.ts'],
    ['enforcer/core', 'pino'],
    ['enforcer/core', 'node:path'],
    ['webhook/policy', '../admission/review.ts'],
    ['webhook/admission', '../server/serve.ts'],
    ['webhook/server', '../../enforcer/core/plan.ts'],
    ['webhook/server', '../main.ts'],
    ['certs', '../contract/keys.ts'],
    ['settings', '../contract/problem.ts'],
  ])('%s may not import %s', (room, specifier) => {
    expect(findBreaches(`${room}/planted.ts`, `import { x } from '${specifier}'`)).toEqual([
      breach(room, specifier),
    ])
  })

  test.each([
    ['contract', './keys.ts'],
    ['certs', 'node-forge'],
    ['webhook/policy', '../../contract/keys.ts'],
    ['webhook/policy', './deep/er.ts'],
    ['webhook/admission', '../policy/decide.ts'],
    ['webhook/admission', 'fast-json-patch'],
    ['webhook/server', 'node:https'],
    ['webhook', './server/serve.ts'],
    ['enforcer', './core/plan.ts'],
    ['enforcer', '../contract/keys.ts'],
  ])('%s may import %s', (room, specifier) => {
    expect(findBreaches(`${room}/planted.ts`, `import { x } from '${specifier}'`)).toEqual([])
  })

  test('a word in a comment or a text is no import', () => {
    const source = `// import '../webhook/main.ts'\nexport const text = "import '../webhook/main.ts'"\n`
    expect(findBreaches('contract/planted.ts', source)).toEqual([])
  })
})
