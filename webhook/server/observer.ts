/** What the log and the metrics are told, each event in one place. */
import type { Logger } from 'pino'
import { formatProblem, type Problem } from '../../contract/problem.ts'
import type { DecisionRecord } from '../admission/record.ts'
import type { Metrics } from './metrics.ts'
import type { Rejection } from './rejection.ts'

/** Sets of files that are read again when they change. */
export type FileKind = 'tls' | 'policies' | 'namespaces'

export interface Observer {
  /** A review was answered; how many seconds after its first byte. */
  readonly decided: (record: DecisionRecord, seconds: number) => void
  /** Likewise, by the validating webhook. */
  readonly validated: (record: DecisionRecord, seconds: number) => void
  /** The cluster did not give what a review would have looked at; it was answered without. */
  readonly unlooked: (error: unknown) => void
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
export const createObserver = (log: Logger, metrics: Metrics): Observer => ({
  ...createReviewObserver(log, metrics),
  ...createServerObserver(log, metrics),
})

type ReviewObserver = Pick<Observer, 'decided' | 'validated' | 'unlooked' | 'broken'>

function createReviewObserver(log: Logger, metrics: Metrics): ReviewObserver {
  const countRefusal = ({ outcome, policy = '-', dryRun }: DecisionRecord): void => {
    if (outcome === 'refused') metrics.refusals.inc({ policy, dry_run: String(dryRun) })
  }
  return {
    decided(record, seconds) {
      const { operation, outcome, dryRun } = record
      metrics.reviews.inc({ operation, outcome, dry_run: String(dryRun) })
      countRefusal(record)
      metrics.duration.observe(seconds)
      if (outcome === 'failed') metrics.failedOpen.inc()
      log[outcome === 'failed' ? 'error' : 'info']({ ...record, seconds }, 'decision')
    },
    validated(record, seconds) {
      const { operation, outcome, dryRun, reason } = record
      // Anybody can call anything a resource: what is not judged is not told apart.
      const resource = reason === 'not-judged' ? 'other' : record.resource
      metrics.validations.inc({ resource, operation, outcome, dry_run: String(dryRun) })
      countRefusal(record)
      metrics.duration.observe(seconds)
      log[outcome === 'failed' ? 'error' : 'info']({ ...record, seconds }, 'validation')
    },
    unlooked(error) {
      log.warn({ err: error }, 'a validation went on without a look at the cluster')
    },
    broken(error, uid) {
      log.error({ err: error, uid }, 'iops-limit broke on this request: please report it')
    },
  }
}

function createServerObserver(log: Logger, metrics: Metrics): Omit<Observer, keyof ReviewObserver> {
  return {
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
