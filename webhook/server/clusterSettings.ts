/** Settings of the webhook as part of a cluster. */
import { duration, lifetime, list, optionalText, text, toggle, wholeNumber } from '../../settings/option.ts'
import { bounded, filled, HOUR } from './bounds.ts'

const DAY = 24 * HOUR

export const CLUSTER_OPTIONS = {
  kubeconfig: optionalText({
    flag: 'kubeconfig',
    env: 'KUBECONFIG_PATH',
    placeholder: 'FILE',
    help: "the cluster, by its current context; inside a pod the pod's own if not given",
  }),
  webhookNamespace: optionalText({
    flag: 'webhook-namespace',
    env: 'POD_NAMESPACE',
    placeholder: 'NAME',
    help: 'where the webhook runs: its Secret and Lease are there, and no policy reaches it',
  }),
  self: optionalText({
    flag: 'self',
    env: 'SELF',
    placeholder: 'USER',
    help: 'the name by which the API server knows this webhook (system:serviceaccount:NAMESPACE:NAME): only that user writes iops-limit/adapted',
  }),
  serviceName: text({
    flag: 'service-name',
    env: 'SERVICE_NAME',
    placeholder: 'NAME',
    help: 'the Service by which the API server calls the webhook: its certificate is made for that name',
    default: 'iops-limit-webhook',
  }),
  tlsSecret: text({
    flag: 'tls-secret',
    env: 'TLS_SECRET',
    placeholder: 'NAME',
    help: 'the Secret in which the certificate looks after itself, where --tls-cert is not given',
    default: 'iops-limit-webhook-tls',
  }),
  webhookConfigurations: filled(
    list({
      flag: 'webhook-configuration',
      env: 'WEBHOOK_CONFIGURATION',
      placeholder: 'NAME[,NAME...]',
      help: 'the mutating and validating webhook configurations of these names get the CA, where --tls-cert is not given',
      default: ['iops-limit-webhook'],
    }),
    'names no configuration',
  ),
  certificateLifetime: bounded(
    { min: 1000, max: 365 * DAY, why: 'is not between 1s and 8760h' },
    lifetime({
      flag: 'certificate-lifetime',
      env: 'CERTIFICATE_LIFETIME',
      help: 'of the serving certificate that looks after itself; it is renewed at two thirds of that',
      default: '720h',
    }),
  ),
  caLifetime: bounded(
    { min: 1000, max: 10 * 365 * DAY, why: 'is not between 1s and 87600h' },
    lifetime({
      flag: 'ca-lifetime',
      env: 'CA_LIFETIME',
      help: 'of its authority; the next one is announced at two thirds of that',
      default: '8760h',
    }),
  ),
  caOverlap: lifetime({
    flag: 'ca-overlap',
    env: 'CA_OVERLAP',
    help: 'how long two authorities are trusted before the new one signs, and again after',
    default: '24h',
  }),
  leaseName: text({
    flag: 'lease-name',
    env: 'LEASE_NAME',
    placeholder: 'NAME',
    help: 'the Lease by which one replica becomes the leader, who back-fills',
    default: 'iops-limit-webhook',
  }),
  identity: optionalText({
    flag: 'identity',
    env: 'POD_NAME',
    placeholder: 'NAME',
    help: 'what tells this replica from the others; the host name if not given',
  }),
  backfill: toggle({
    flag: 'backfill',
    env: 'BACKFILL',
    help: 'look for pods that admission missed, and mend them, where namespaces come from the cluster',
    default: true,
  }),
  backfillInterval: bounded(
    { min: 1000, max: 24 * HOUR, why: 'is not between 1s and 24h' },
    duration({
      flag: 'backfill-interval',
      env: 'BACKFILL_INTERVAL',
      help: 'how often all pods of opted-in namespaces are looked at; a changed namespace or policy is at once',
      default: '5m',
    }),
  ),
  backfillQps: wholeNumber(
    { min: 1, max: 1000 },
    {
      flag: 'backfill-qps',
      env: 'BACKFILL_QPS',
      help: 'writes a second that the back-fill makes at most',
      default: 40,
    },
  ),
}
