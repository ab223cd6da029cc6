/** What the log and the metrics are told about the API server. */
import type { Logger } from 'pino'
import { messageOf } from '../../contract/problem.ts'
import { findDeed } from '../../kube/call.ts'
import type { Call } from '../../kube/client.ts'
import type { CacheObserver } from '../cluster/caches.ts'
import type { ClusterMetrics } from './clusterMetrics.ts'

export interface ClusterObserver extends CacheObserver {
  readonly called: (call: Call) => void
}

export function createClusterObserver(log: Logger, metrics: ClusterMetrics): ClusterObserver {
  return {
    called(call) {
      const { verb, resource } = findDeed(call)
      metrics.calls.inc({ verb, resource, code: String(call.status) })
      metrics.callDuration.observe({ verb, resource }, call.seconds)
    },
    synced(cache, seconds) {
      metrics.syncDuration.observe({ cache }, seconds)
      log.info({ cache, seconds }, 'cache synced')
    },
    failed(cache, error) {
      metrics.cacheFailures.inc({ cache })
      log.warn({ cache, reason: messageOf(error) }, 'cache: list or watch failed, trying again')
    },
    restarted(cache, reason) {
      metrics.watchRestarts.inc({ cache, reason })
      const isRoutine = reason === 'ended' || reason === 'silent'
      log[isRoutine ? 'debug' : 'info']({ cache, reason }, 'cache: watch opened anew')
    },
    looked: (result) => metrics.lookups.inc({ result }),
    statusFailed(error) {
      log.warn({ reason: messageOf(error) }, "a policy's status could not be written, trying again")
    },
  }
}
