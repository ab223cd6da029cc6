/** Connections that are kept, over real HTTPS: how long, and what becomes of one that the server ends. */
import { appendFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { checkServerIdentity } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CallOptions, createKubeClient } from '../../../kube/client.ts'
import { type StandIn, startStandIn } from '../../support/kernel/standIns.ts'

let server: StandIn
/** Of each request, in order. */
let ports: (number | undefined)[]

beforeEach(async () => {
  ports = []
  server = await startStandIn((request, response) => {
    ports.push(request.socket.remotePort)
    response.end('{}')
  })
})
afterEach(() => server[Symbol.asyncDispose]())

const readCa = (): string => readFileSync(path.join(server.account, 'ca.crt'), 'utf8')

const createClient = (readOptions: () => CallOptions) =>
  createKubeClient(
    {
      origin: new URL(`https://127.0.0.1:${server.port}`),
      readOptions: () => Promise.resolve(readOptions()),
    },
    { clock: () => performance.now() / 1000 },
  )

const isOne = (numbers: readonly unknown[]): boolean => new Set(numbers).size === 1

describe('a connection', () => {
  it.each<[string, CallOptions]>([
    ['checked as Node does', {}],
    ['checked by a function of the caller', { checkServerIdentity }],
  ])('is kept from one call to the next, %s, whatever the headers', async (_, own) => {
    let token = 0
    const client = createClient(() => ({
      ca: readCa(),
      headers: { authorization: `Bearer ${token++}` },
      ...own,
    }))
    for (const path of ['/pods', '/stats/summary', '/pods']) await client.request({ method: 'GET', path })
    expect(ports).toHaveLength(3)
    expect(isOne(ports)).toBe(true)
  })

  it('is made anew, and checked, where the CA or the check is another one', async () => {
    const checks: string[] = []
    const createCheck = (name: string) => (): undefined => void checks.push(name)
    let check = createCheck('first')
    const client = createClient(() => ({ ca: readCa(), checkServerIdentity: check }))
    const call = () => client.request({ method: 'GET', path: '/pods' })
    await call()
    await call()
    appendFileSync(path.join(server.account, 'ca.crt'), '\n')
    await call()
    check = createCheck('second')
    await call()
    await call()
    expect(checks).toEqual(['first', 'first', 'second'])
    expect(new Set(ports).size).toBe(3)
  })
})

describe('a server that ends a kept connection in place of an answer', () => {
  const client = () => createClient(() => ({ ca: readCa() }))
  /** Of each connection only the first request is answered. */
  const answerOnce = (): void => {
    const known = new Set<number | undefined>()
    server.answer = (request, response) => {
      const { remotePort } = request.socket
      ports.push(remotePort)
      if (known.has(remotePort)) request.socket.destroy()
      else response.end('{}')
      known.add(remotePort)
    }
  }

  it('is asked again over a new one', async () => {
    answerOnce()
    const own = client()
    for (let call = 0; call < 3; call += 1)
      expect(await own.request({ method: 'GET', path: '/pods' })).toEqual({})
    expect(ports).toHaveLength(5)
    expect(new Set(ports).size).toBe(3)
  })

  it('is not told twice to change something', async () => {
    answerOnce()
    const own = client()
    const patch = { method: 'PATCH', path: '/api/v1/nodes/a', body: {} } as const
    await own.request(patch)
    await expect(own.request(patch)).rejects.toMatchObject({ reason: 'Unreachable' })
    expect(ports).toHaveLength(2)
  })

  it('is not asked again where the connection was new', async () => {
    server.answer = (request) => {
      ports.push(request.socket.remotePort)
      request.socket.destroy()
    }
    await expect(client().request({ method: 'GET', path: '/pods' })).rejects.toMatchObject({
      reason: 'Unreachable',
    })
    expect(ports).toHaveLength(1)
  })
})
