/** The certificate that looks after itself, wired to this replica: its names, its metrics, its log. */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { createKeys } from '../../certs/keys.ts'
import { messageOf } from '../../contract/problem.ts'
import { type CertificatesDeps, keepCertificates } from '../cluster/certificates.ts'
import type { FollowingTools } from '../cluster/tools.ts'
import type { KeepCertificate } from './certificate.ts'
import type { KeeperMetrics } from './keeperMetrics.ts'
import { parseServiceNames } from './serviceNames.ts'
import type { Settings } from './settings.ts'

export interface KeeperDeps extends FollowingTools {
  readonly settings: Settings
  /** Where the Secret is. */
  readonly namespace: string
  readonly now: () => Date
  readonly log: Logger
  readonly metrics: KeeperMetrics
}

export function createKeeper(deps: KeeperDeps): KeepCertificate {
  const { settings, namespace, metrics, log } = deps
  const kept: Omit<CertificatesDeps, 'serve' | 'published'> = {
    ...deps,
    secret: { namespace, name: settings.tlsSecret },
    configurations: settings.webhookConfigurations,
    names: findNames(settings.serviceName, namespace),
    lifetimes: {
      authority: settings.caLifetime,
      leaf: settings.certificateLifetime,
      overlap: settings.caOverlap,
    },
    effects: { random: randomBytes, createKeys },
    observe: createKeeperObserver(log, metrics),
  }
  return (told, stopped) =>
    keepCertificates(
      {
        ...kept,
        published: told.published,
        serve({ leaf, authority }) {
          told.serve({ cert: leaf.certificate, key: leaf.key, notAfter: leaf.notAfter })
          metrics.served(authority.notAfter)
          log.info({ notAfter: leaf.notAfter }, 'certificate: serving a new one')
        },
      },
      stopped,
    )
}

/** The configuration has seen to it that they can be had. */
function findNames(service: string, namespace: string): CertificatesDeps['names'] {
  const parsed = parseServiceNames(service, namespace)
  if (!parsed.ok) throw new TypeError('names that no certificate can carry')
  return parsed.value
}

const createKeeperObserver = (log: Logger, metrics: KeeperMetrics): CertificatesDeps['observe'] => ({
  rotated(step) {
    metrics.steps.inc({ step })
    log.info({ step }, 'certificate: took a step of its rotation')
  },
  published(configuration) {
    metrics.publications.inc()
    log.info({ configuration }, 'certificate: published')
  },
  broken(why) {
    log.warn({ reason: why }, 'certificate: what the Secret holds cannot be used, making it anew')
  },
  failed(error) {
    metrics.failures.inc()
    log.warn({ reason: messageOf(error) }, 'certificate: a call failed, trying again')
  },
})
