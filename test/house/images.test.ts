/** The images' Node is the tests' own, and each holds its own rooms only. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ROOMS } from './rooms.ts'

const IMAGES = [
  { file: 'Dockerfile.webhook', room: 'webhook' },
  { file: 'Dockerfile.enforcer', room: 'enforcer' },
] as const

describe.each(IMAGES)('$file', ({ file, room }) => {
  const text = readFileSync(file, 'utf8')

  it('names the Node that the tests run on', () => {
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly version: string }>>
    }
    const version = lock.packages['node_modules/node']?.version
    expect(text.match(/^ARG BASE_IMAGE=.*$/gm)).toEqual([`ARG BASE_IMAGE=node:${version}-bookworm-slim`])
    expect(process.versions.node).toBe(version)
  })

  it('copies the rooms that its program may import, and no other', () => {
    const copied = [...text.matchAll(/^COPY (\w+) \1$/gm)].map(([, folder]) => folder ?? '')
    const allowed = ROOMS.filter(({ folder }) => folder === room || folder.startsWith(`${room}/`))
    const tops = allowed
      .flatMap(({ folder, rooms }) => [folder, ...rooms])
      .map((path) => path.split('/', 1)[0])
    expect(copied.filter((folder) => folder !== 'scripts').toSorted()).toEqual([...new Set(tops)].toSorted())
  })

  it('ends in an image that starts from nothing', () => {
    expect([...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)).toEqual(['${BASE_IMAGE}', 'scratch'])
  })
})
