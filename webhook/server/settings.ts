import { duration, list, oneOf, optionalText, port, text, wholeNumber } from '../../settings/option.ts'
import type { SettingsOf } from '../../settings/settings.ts'
import { ADVISOR_OPTIONS } from './advisorSettings.ts'
import { bounded, filled, HOUR, optional } from './bounds.ts'
import { CLUSTER_OPTIONS } from './clusterSettings.ts'

export const INTRO = `Usage: iops-limit-webhook [--kubeconfig FILE] [OPTION...]
       iops-limit-webhook --policy-file FILE --namespaces-file FILE --tls-cert FILE --tls-key FILE [OPTION...]

The admission webhook: decides every pod's disk-IO limits from its namespace's policy.
  POST /mutate, /validate        HTTPS, --port: AdmissionReviews of admission.k8s.io/v1
  /healthz /readyz /metrics      plain HTTP, --metrics-port
Policies, namespaces and certificate that no file gives come from the cluster; with all of them as files it needs none.
All named files are read again when their content changes.
SIGTERM: /readyz fails at once, serving goes on for --shutdown-delay, then it ends.
Exit code: 0 ended as asked, 1 it failed, 2 the configuration is wrong.`

/** What is not given comes from the cluster. */
export const FILE_OPTIONS = {
  policyFiles: optional(
    filled(
      list({
        flag: 'policy-file',
        env: 'POLICY_FILE',
        placeholder: 'FILE[,FILE...]',
        help: 'policies (IOLimitPolicy objects), YAML or JSON; a directory stands for its *.yaml, *.yml and *.json',
      }),
    ),
  ),
  namespacesFiles: optional(
    filled(
      list({
        flag: 'namespaces-file',
        env: 'NAMESPACES_FILE',
        placeholder: 'FILE[,FILE...]',
        help: 'Namespace objects or a list of them, as "kubectl get namespaces -o yaml" prints; directories likewise',
      }),
    ),
  ),
  tlsCert: optional(
    text({
      flag: 'tls-cert',
      env: 'TLS_CERT',
      placeholder: 'FILE',
      help: 'serving certificate, PEM ("iops-limit certs" makes one)',
    }),
  ),
  tlsKey: optional(text({ flag: 'tls-key', env: 'TLS_KEY', placeholder: 'FILE', help: 'its key, PEM' })),
}

const CLIENT_OPTIONS = {
  clientCa: optional(
    text({
      flag: 'client-ca',
      env: 'CLIENT_CA',
      placeholder: 'FILE',
      help: "authority of the API server's client certificate, PEM: without such a certificate reviews are refused (401); read at the start",
    }),
  ),
  clientNames: optional(
    filled(
      list({
        flag: 'client-names',
        env: 'CLIENT_NAMES',
        placeholder: 'NAME[,NAME...]',
        help: 'common names that the certificate may have; any if not given',
      }),
    ),
  ),
}

const ADDRESS_OPTIONS = {
  port: port({ flag: 'port', env: 'PORT', help: 'for HTTPS; 0: a free one', default: 8443 }),
  metricsPort: port({
    flag: 'metrics-port',
    env: 'METRICS_PORT',
    help: 'for plain HTTP; 0: a free one',
    default: 8080,
  }),
  host: optionalText({
    flag: 'host',
    env: 'LISTEN_HOST',
    placeholder: 'ADDRESS',
    help: 'address to listen on; every one if not given',
  }),
}

const BOUND_OPTIONS = {
  maxConcurrent: wholeNumber(
    { min: 1, max: 100_000 },
    {
      flag: 'max-concurrent',
      env: 'MAX_CONCURRENT',
      help: 'reviews under way at the same time; more are told to come again (429)',
      default: 256,
    },
  ),
  maxBodyBytes: wholeNumber(
    { min: 1, max: 2 ** 30 },
    {
      flag: 'max-body-bytes',
      env: 'MAX_BODY_BYTES',
      placeholder: 'BYTES',
      help: 'longest body taken (413 past it); an update carries two objects',
      default: 7 * 2 ** 20,
    },
  ),
  maxBufferedBytes: wholeNumber(
    { min: 1, max: 2 ** 40 },
    {
      flag: 'max-buffered-bytes',
      env: 'MAX_BUFFERED_BYTES',
      placeholder: 'BYTES',
      help: 'bytes of all bodies held at the same time; more are told to come again (429)',
      default: 64 * 2 ** 20,
    },
  ),
}

const TIME_OPTIONS = {
  reviewTimeout: bounded(
    { min: 1, max: HOUR, why: 'is not between 1ms and 1h' },
    duration({
      flag: 'review-timeout',
      env: 'REVIEW_TIMEOUT',
      help: 'longest time for a request, unless ?timeout= asks for less; past it, 504',
      default: '10s',
    }),
  ),
  headersTimeout: bounded(
    { min: 1, max: HOUR, why: 'is not between 1ms and 1h' },
    duration({
      flag: 'headers-timeout',
      env: 'HEADERS_TIMEOUT',
      help: "longest time for a TLS handshake, and for a request's headers",
      default: '5s',
    }),
  ),
  keepAliveTimeout: bounded(
    {
      min: 95_000,
      max: 24 * HOUR,
      why: 'is not between 95s and 24h: the API server keeps idle connections for 90s, and a shorter time fails its requests',
    },
    duration({
      flag: 'keep-alive-timeout',
      env: 'KEEP_ALIVE_TIMEOUT',
      help: 'how long an idle connection stays open',
      default: '100s',
    }),
  ),
  closeEvery: wholeNumber(
    { min: 0, max: 1_000_000_000 },
    {
      flag: 'close-every',
      env: 'CLOSE_EVERY',
      help: 'about one in so many answers ends its connection, so that they spread over replicas; 0: none',
      default: 1000,
    },
  ),
  reloadInterval: bounded(
    { min: 10, max: HOUR, why: 'is not between 10ms and 1h' },
    duration({
      flag: 'reload-interval',
      env: 'RELOAD_INTERVAL',
      help: 'how often the files are looked at',
      default: '2s',
    }),
  ),
  shutdownDelay: duration({
    flag: 'shutdown-delay',
    env: 'SHUTDOWN_DELAY',
    help: 'how long serving goes on after SIGTERM, while traffic moves elsewhere',
    default: '10s',
  }),
  shutdownTimeout: duration({
    flag: 'shutdown-timeout',
    env: 'SHUTDOWN_TIMEOUT',
    help: 'how long requests under way may take after that',
    default: '10s',
  }),
}

export const OPTIONS = {
  ...FILE_OPTIONS,
  ...CLUSTER_OPTIONS,
  ...ADVISOR_OPTIONS,
  exemptNamespaces: list({
    flag: 'exempt-namespaces',
    env: 'EXEMPT_NAMESPACES',
    placeholder: 'NAME[,NAME...]',
    help: 'namespaces that no policy reaches, whatever their labels say',
    default: ['kube-system', 'kube-public', 'kube-node-lease'],
  }),
  ...ADDRESS_OPTIONS,
  ...CLIENT_OPTIONS,
  ...BOUND_OPTIONS,
  ...TIME_OPTIONS,
  logLevel: oneOf(['debug', 'info', 'warn', 'error', 'silent'], {
    flag: 'log-level',
    env: 'LOG_LEVEL',
    help: 'info tells every decision',
    default: 'info',
  }),
}

export type Settings = SettingsOf<typeof OPTIONS>
