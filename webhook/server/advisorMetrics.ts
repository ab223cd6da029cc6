/** The advisor's metrics: who leads, what it sees, what it does about it. Series a policy, never a pod or a namespace. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { LeaseObserver } from '../../kube/lease.ts'
import type { AdvisorObserver } from '../advisor/advisor.ts'

const PREFIX = 'iops_limit_webhook_advisor_'

export interface AdvisorMetrics {
  readonly lease: LeaseObserver
  readonly advisor: AdvisorObserver
}

/** Registers the metrics, and gives the observers that move them. */
export function createAdvisorMetrics(registry: Registry): AdvisorMetrics {
  const registers = [registry]
  const leader = new Gauge({
    registers,
    name: `${PREFIX}leader`,
    help: '1 while this replica is the one that advises.',
  })
  const errors = new Counter({
    registers,
    name: `${PREFIX}lease_errors_total`,
    help: 'Attempts at the Lease that failed.',
  })
  return {
    lease: { leading: () => leader.set(1), ended: () => leader.set(0), failed: () => errors.inc() },
    advisor: { ...createPodGauges(registers), ...createActCounters(registers), ...createTurns(registers) },
  }
}

function createPodGauges(registers: Registry[]): Pick<AdvisorObserver, 'counted'> {
  const watched = new Gauge({
    registers,
    name: `${PREFIX}watched_pods`,
    help: 'Pods whose rule is adaptive, by policy, as this replica has seen while it leads.',
    labelNames: ['policy'],
  })
  const adapted = new Gauge({
    registers,
    name: `${PREFIX}adapted_pods`,
    help: 'Pods on which a limit is imposed, by policy.',
    labelNames: ['policy'],
  })
  return {
    counted(counts) {
      for (const gauge of [watched, adapted]) gauge.reset()
      for (const [policy, count] of counts) {
        watched.set({ policy }, count.watched)
        adapted.set({ policy }, count.adapted)
      }
    },
  }
}

function createActCounters(
  registers: Registry[],
): Pick<AdvisorObserver, 'advised' | 'wrote' | 'refused' | 'failed'> {
  const advices = new Counter({
    registers,
    name: `${PREFIX}advices_total`,
    help: 'What was done: impose, tighten, release, lifted (by a person); mode report: told, and not done.',
    labelNames: ['kind', 'mode'],
  })
  const writes = new Counter({
    registers,
    name: `${PREFIX}writes_total`,
    help: 'Writes of annotations, by outcome: written, conflict (tried again), refused, failed.',
    labelNames: ['outcome'],
  })
  const errors = new Counter({
    registers,
    name: `${PREFIX}errors_total`,
    help: 'Lists, writes and Events that failed; a later turn tries again.',
  })
  return {
    advised: (_pod, { kind, mode }) => advices.inc({ kind, mode }),
    wrote: (outcome) => writes.inc({ outcome }),
    refused: () => undefined,
    failed: () => errors.inc(),
  }
}

function createTurns(registers: Registry[]): Pick<AdvisorObserver, 'asked' | 'turned'> {
  const nodes = new Counter({
    registers,
    name: `${PREFIX}nodes_total`,
    help: 'Nodes whose usage was asked for, by outcome: answered, or absent (no enforcer), unreachable, late, refused, unreadable, too-long, no-token.',
    labelNames: ['outcome'],
  })
  const seconds = new Histogram({
    registers,
    name: `${PREFIX}turn_duration_seconds`,
    help: 'How long turns take.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
  })
  return {
    asked: (_node, { outcome }) => nodes.inc({ outcome }),
    turned: (took) => seconds.observe(took),
  }
}
