import type { Logger } from 'pino'
import { messageOf } from '../../contract/problem.ts'
import type { LeaseObserver } from '../../kube/lease.ts'

/** The metrics' observer of a Lease, which tells the log too; `work`, which whoever holds it does, begins each message. */
export const tellLease = (log: Logger, work: string, lease: LeaseObserver): LeaseObserver => ({
  leading() {
    lease.leading()
    log.info(`${work}: leading`)
  },
  ended(why) {
    lease.ended(why)
    log.info({ why }, `${work}: no longer leading`)
  },
  failed(error) {
    lease.failed(error)
    log.warn({ reason: messageOf(error) }, `${work}: lease failed, trying again`)
  },
})
