/** What the log and the metrics are told, each event in one place. */
import type { Logger } from 'pino'
import { formatProblem, type Problem } from '../../contract/problem.ts'
import type { DecisionRecord } from '../admission/answer.ts'
import type { Metrics } from './metrics.ts'
import type { Rejection } from './rejection.ts'

/** Sets of files that are read again when they change. */
export type FileKind = 'tls' | 'policies' | 'namespaces'

export interface Observer {
  /** A review was answered; how many seconds after its first byte. */
  readonly decided: (record: DecisionRecord, seconds: number) => void
  readonly rejected: (rejection: Rejection) => void
  /** The client left in the middle of its request. */
  readonly abandoned: () => void
  /** A handshake came to nothing: often the client trusts another CA. */
  readonly tlsFailed: (code: string) => void
  /** A mistake of ours. */
  readonly broken: (error: unknown, uid?: string) => void
  readonly reloaded: (what: FileKind) => void
  /** A new version that is not in force; the one before it is. */
  readonly refused: (what: FileKind, problems: readonly Problem[]) => void
}

/** Nothing of a request's body is logged, save what the decision names. */
export function createObserver(log: Logger, metrics: Metrics): Observer {
  return {
    decided(record, seconds) {
      const { operation, outcome, dryRun } = record
      metrics.reviews.inc({ operation, outcome, dry_run: String(dryRun) })
      metrics.duration.observe(seconds)
      if (outcome === 'failed') metrics.failedOpen.inc()
      log[outcome === 'failed' ? 'error' : 'info']({ ...record, seconds }, 'decision')
    },
    rejected({ status, reason }) {
      metrics.rejections.inc({ reason })
      log.info({ status, reason }, 'request rejected')
    },
    abandoned() {
      metrics.rejections.inc({ reason: 'client-gone' })
      log.info('client left in the middle of its request')
    },
    tlsFailed(code) {
      metrics.rejections.inc({ reason: 'tls-handshake' })
      log.warn({ code }, 'TLS handshake failed')
    },
    broken(error, uid) {
      log.error({ err: error, uid }, 'iops-limit broke on this request: please report it')
    },
    reloaded(what) {
      metrics.reloads.inc({ what, result: 'loaded' })
      log.info({ what }, 'new version of the files in force')
    },
    refused(what, problems) {
      metrics.reloads.inc({ what, result: 'refused' })
      log.error(
        { what, problems: problems.map(formatProblem) },
        'new version of the files refused: the one before stays in force',
      )
    },
  }
}
