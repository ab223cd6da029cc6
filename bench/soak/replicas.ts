/** Replicas behind a Service: one that lives through all of it, and one that comes and goes. */
import type { Balancer } from '../../test/support/cluster/balancer.ts'
import type { Service } from '../../test/support/https/service.ts'
import type { WebhookProcess } from '../../test/support/https/webhook.ts'
import type { Disasters } from './load.ts'

export interface Replicas extends AsyncDisposable {
  readonly lasting: WebhookProcess
  /** As a rolling update does it: the next one is ready before the last one goes. */
  readonly replace: () => Promise<void>
  /** Without a word; the next one is started behind it. */
  readonly kill: () => Promise<void>
  /** Of all that have been. */
  readonly complaints: () => string
  /** What they have logged, which is a line for each review. */
  readonly forgetLogs: () => void
}

export interface ReplicasDeps {
  readonly start: () => Promise<WebhookProcess>
  /** For those who send reviews themselves, and for the API server. */
  readonly service: Service
  readonly balancer: Balancer
  readonly disasters: Disasters
}

export async function createReplicas({
  start,
  service,
  balancer,
  disasters,
}: ReplicasDeps): Promise<Replicas> {
  const all: WebhookProcess[] = []
  const add = async (): Promise<WebhookProcess> => {
    const replica = await start()
    all.push(replica)
    service.add(replica)
    balancer.add(replica)
    return replica
  }
  const untilReady = async (count: number): Promise<void> => {
    await service.untilReady(count)
    while (balancer.ready !== count) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const remove = (replica: WebhookProcess): void => {
    service.remove(replica)
    balancer.remove(replica)
  }
  const lasting = await add()
  let other = await add()
  await untilReady(2)
  return {
    lasting,
    replace: async () => {
      const old = other
      other = await add()
      await untilReady(3)
      old.terminate()
      await old.exit
      remove(old)
      await untilReady(2)
    },
    kill: async () => {
      const span = { from: performance.now(), to: Number.POSITIVE_INFINITY }
      disasters.kills.push(span)
      disasters.killed.add(Number(new URL(other.origin).port))
      await other[Symbol.asyncDispose]()
      // Nobody tells the Service: its probes find out.
      await untilReady(1)
      span.to = performance.now()
      remove(other)
      other = await add()
      await untilReady(2)
    },
    forgetLogs: () => {
      for (const { log } of all) log.length = 0
    },
    complaints: () => all.map((replica) => replica.complaints()).join(''),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([lasting, other].map((replica) => replica[Symbol.asyncDispose]()))
    },
  }
}
