/** What is inside the images, and that they start. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createAccess } from '../support/vm/vm.ts'

const { run } = createAccess(inject('machine'))

interface Expected {
  readonly name: string
  readonly app: readonly string[]
  readonly uid: number
  readonly help: string
}

/** A bundle, what it is made of, and under which licences. */
const filesOf = (program: string): readonly string[] =>
  ['js', 'cdx.json', 'licences.txt'].map((kind) => `${program}.${kind}`)

const IMAGES: readonly Expected[] = [
  {
    name: 'iops-limit-webhook',
    app: [...filesOf('iops-limit-webhook'), ...filesOf('iops-limit'), 'LICENSE', 'main.js', 'package.json'],
    uid: 65532,
    help: 'Usage: iops-limit-webhook',
  },
  {
    name: 'iops-limit-enforcer',
    app: [...filesOf('iops-limit-enforcer').slice(1), 'LICENSE', 'main.js', 'package.json'],
    uid: 0,
    help: 'Usage: iops-limit-enforcer',
  },
]

const start = (image: string, ...args: readonly string[]): string =>
  `ctr -n k8s.io run --rm docker.io/library/${image}:test try-$$ ${args.map((arg) => `'${arg}'`).join(' ')}`

describe.each(IMAGES)('$name', ({ name, app, uid, help }) => {
  const folder = `/mnt/${name}`

  beforeAll(async () => {
    const { code, stderr } = await run(
      `mkdir -p ${folder} && ctr -n k8s.io images mount docker.io/library/${name}:test ${folder}`,
    )
    expect({ code, stderr }).toMatchObject({ code: 0 })
  })

  afterAll(async () => {
    await run(`ctr -n k8s.io images unmount ${folder}`)
  })

  const list = async (path: string): Promise<readonly string[]> => {
    const { stdout } = await run(`cd ${folder}${path} && find . -mindepth 1 -not -type d | sort`)
    return stdout.trim().split('\n')
  }

  it('holds its own bundles', async () => {
    const files = (await list('/app')).filter((file) => !/-[A-Z0-9]{8}\.js$/.test(file))
    expect(files.toSorted()).toEqual(app.map((file) => `./${file}`).toSorted())
  })

  it('holds nothing else but Node, its libraries and a user', async () => {
    const others = (await list('')).filter((file) => !file.startsWith('./app/'))
    expect(others.filter((file) => !/\.so[.0-9]*$/.test(file))).toEqual([
      './etc/passwd',
      './usr/local/bin/node',
    ])
  })

  it('runs as the user that it is meant for, on Node 24', async () => {
    const script = 'console.log(process.getuid(), process.versions.node.split(".")[0])'
    const { stdout } = await run(start(name, '/usr/local/bin/node', '-e', script))
    expect(stdout.trim()).toBe(`${uid} 24`)
  })

  it('explains itself', async () => {
    const { stdout } = await run(start(name, '/usr/local/bin/node', '/app/main.js', '--help'))
    expect(stdout).toContain(help)
  })
})

describe('the command-line tool in the image of the webhook', () => {
  it('is what a word asks for', async () => {
    const { stdout } = await run(
      start('iops-limit-webhook', '/usr/local/bin/node', '/app/main.js', 'certs', '--help'),
    )
    expect(stdout).toContain('Usage: iops-limit certs')
  })
})
