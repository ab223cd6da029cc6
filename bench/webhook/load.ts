/**
 * The load: POSTs of one body over kept HTTP/1.1 connections of TLS, each the next as soon as the last is answered. Requests are
 * one write of bytes made once, and answers are only measured, so that the servers are the slower side.
 *   node load.ts '{"port":…,"path":…,"ca":FILE,"body":FILE,"connections":…,"milliseconds":…}'     prints a Measured as JSON
 */
import { readFileSync } from 'node:fs'
import { connect, type TLSSocket } from 'node:tls'

export interface Load {
  readonly port: number
  readonly path: string
  /** Files: PEM, and the request's body. */
  readonly ca: string
  readonly body: string
  readonly connections: number
  readonly milliseconds: number
}

export interface Measured {
  readonly answers: number
  /** What was no answer of status 200: `503`, `ECONNRESET`. */
  readonly failures: Readonly<Record<string, number>>
  readonly perSecond: number
  /** Milliseconds from request to answer, sorted ranks. */
  readonly p50: number
  readonly p99: number
  /** Share of one core that this side took: near 1, it was the load that was measured. */
  readonly busy: number
}

async function run({ port, path, ca, body, connections, milliseconds }: Load): Promise<Measured> {
  const request = formatRequest(path, readFileSync(body))
  const latencies: number[] = []
  const failures: Record<string, number> = {}
  const began = performance.now()
  const usage = process.cpuUsage()
  const until = began + milliseconds
  const target = { port, ca: readFileSync(ca), request, until, latencies, failures }
  await Promise.all(Array.from({ length: connections }, () => sendOn(target)))
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(usage)
  latencies.sort((a, b) => a - b)
  const rank = (share: number): number => latencies[Math.floor(share * latencies.length)] ?? Number.NaN
  return {
    answers: latencies.length,
    failures,
    perSecond: latencies.length / seconds,
    p50: rank(0.5),
    p99: rank(0.99),
    busy: (user + system) / 1e6 / seconds,
  }
}

interface Target {
  readonly port: number
  readonly ca: Buffer
  readonly request: Buffer
  readonly until: number
  readonly latencies: number[]
  readonly failures: Record<string, number>
}

/** One connection after the other, since a server may end one with an answer. */
async function sendOn(target: Target): Promise<void> {
  while (performance.now() < target.until) {
    const why = await talk(target)
    if (why !== undefined) target.failures[why] = (target.failures[why] ?? 0) + 1
  }
}

/** Until the time is up or the connection ends; gives what went wrong. */
function talk({ port, ca, request, until, latencies, failures }: Target): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca })
    let [sent, waiting] = [0, false]
    let received: Buffer = Buffer.alloc(0)
    const send = (): void => {
      if (performance.now() >= until) return void socket.destroy()
      sent = performance.now()
      waiting = true
      socket.write(request)
    }
    const take = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      const answer = readAnswer(received)
      if (answer === undefined) return
      waiting = false
      received = Buffer.alloc(0)
      if (answer.status === '200') latencies.push(performance.now() - sent)
      else failures[answer.status] = (failures[answer.status] ?? 0) + 1
      if (answer.closes) socket.destroy()
      else send()
    }
    socket.setNoDelay(true)
    socket.on('secureConnect', send).on('data', take)
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('close', () => resolve(waiting ? 'ended without an answer' : undefined))
  })
}

/** Undefined while it is not whole. */
function readAnswer(bytes: Buffer): { readonly status: string; readonly closes: boolean } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = bytes.toString('latin1', 0, end)
  const length = /^content-length: *(\d+)/im.exec(head)?.[1]
  const isWhole = length === undefined ? isLastChunk(bytes) : bytes.length >= end + 4 + Number(length)
  if (!isWhole) return undefined
  return { status: head.slice(9, 12), closes: /^connection: *close/im.test(head) }
}

/** Of a chunked body (RFC 9112, 7.1); JSON holds no line break of this kind. */
const isLastChunk = (bytes: Buffer): boolean => bytes.toString('latin1', bytes.length - 7) === '\r\n0\r\n\r\n'

/** As the API server writes it. */
function formatRequest(path: string, body: Buffer): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: iops-limit-webhook.iops-limit.svc:443',
    'User-Agent: kube-apiserver-admission',
    `Content-Length: ${body.length}`,
    'Accept: application/json, */*',
    'Content-Type: application/json',
    'Accept-Encoding: gzip',
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

const load = JSON.parse(process.argv[2] ?? '') as Load
process.stdout.write(`${JSON.stringify(await run(load))}\n`)
