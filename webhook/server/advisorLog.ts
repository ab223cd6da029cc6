/** What the log tells of the advisor. */
import type { Logger } from 'pino'
import { messageOf } from '../../contract/problem.ts'
import type { AdvisorObserver } from '../advisor/advisor.ts'
import type { NodePod } from '../advisor/pods.ts'
import type { AdvisorMetrics } from './advisorMetrics.ts'
import { tellLease } from './leaseLog.ts'

/** The metrics' observers, which tell the log too. */
export const observeAdvisor = (log: Logger, { lease, advisor }: AdvisorMetrics): AdvisorMetrics => ({
  lease: tellLease(log, 'advisor', lease),
  advisor: { ...advisor, ...tellActs(log, advisor), ...tellTurns(log, advisor) },
})

const nameOf = ({ namespace, name, node }: NodePod): object => ({ namespace, name, node })

const tellActs = (
  log: Logger,
  advisor: AdvisorObserver,
): Pick<AdvisorObserver, 'advised' | 'refused' | 'failed'> => ({
  advised(pod, act) {
    advisor.advised(pod, act)
    const { kind, mode, why } = act
    log.info({ ...nameOf(pod), kind, mode, why }, 'advisor: advice')
  },
  refused(pod, reason) {
    advisor.refused(pod, reason)
    log.warn({ ...nameOf(pod), reason }, 'advisor: a write was refused, trying again later')
  },
  failed(error) {
    advisor.failed(error)
    log.warn({ reason: messageOf(error) }, 'advisor: something failed, trying again later')
  },
})

interface Silent {
  readonly node: string
  readonly outcome: string
  readonly reason?: string
}

/** Nodes that do not tell: one line when that begins, with the first of them, and one when it ends; each of them at `debug`. */
function tellTurns(log: Logger, advisor: AdvisorObserver): Pick<AdvisorObserver, 'asked' | 'turned'> {
  let silent: Silent[] = []
  let wasSilent = false
  return {
    asked(node, answer) {
      advisor.asked(node, answer)
      if (answer.outcome === 'answered') return
      const { outcome } = answer
      silent.push({ node, outcome, ...('reason' in answer && { reason: answer.reason }) })
      log.debug(silent.at(-1), 'advisor: a node did not tell')
    },
    turned(seconds) {
      advisor.turned(seconds)
      log.debug({ seconds, silent: silent.length }, 'advisor: turn')
      const [first] = silent
      if (first !== undefined && !wasSilent)
        log.warn({ ...first, nodes: silent.length }, 'advisor: nodes do not tell their usage')
      if (first === undefined && wasSilent) log.info('advisor: every node tells its usage again')
      wasSilent = first !== undefined
      silent = []
    },
  }
}
