/** The pages' server, as long as the program runs. A port that is taken stops no limit: it is tried again. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { messageOf } from '../../contract/problem.ts'
import type { Log } from '../log.ts'

export interface ServeDeps {
  readonly host: string
  readonly port: number
  readonly log: Log
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly stopped: AbortSignal
}

/** Milliseconds. */
const PAUSE = 10_000

/** Until it is stopped; never rejects. */
export async function serveUntilStopped(server: Server, deps: ServeDeps): Promise<void> {
  const { host, port, log, sleep, stopped } = deps
  const isStopped = (): boolean => stopped.aborted
  for (let failures = 0; !isStopped(); failures++) {
    try {
      await listen(server, host, port)
      log.info({ url: formatUrl(server.address()) }, 'listening')
      if (!isStopped()) await once(stopped, 'abort')
    } catch (error) {
      if (failures === 0)
        log.error(
          `cannot listen on ${host} port ${port}, so metrics and health are not served yet: ${messageOf(error)}; free the port, or set METRICS_PORT`,
        )
      await sleep(PAUSE, stopped).catch(() => undefined)
    }
  }
  server.closeAllConnections()
  server.close()
}

/** Where `::` is not to be had, the host has no IPv6. */
async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'EAFNOSUPPORT'
    if (!isMissing || host !== '::') throw error
    server.listen(port, '0.0.0.0')
    await once(server, 'listening')
  }
}

const formatUrl = (address: AddressInfo | string | null): string =>
  address === null || typeof address === 'string'
    ? String(address)
    : `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}/`
