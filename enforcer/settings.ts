import * as option from '../settings/option.ts'
import { formatHelp, type SettingsOf } from '../settings/settings.ts'
import { LOG_LEVELS } from './log.ts'
import { KUBELET_OPTIONS } from './sources/kubeletSettings.ts'
import { USAGE_OPTIONS } from './usageSettings.ts'

/** The option, with one more thing that its values must be: a text is what is wrong. */
const refine = <T>(
  base: option.Option<T>,
  findMistake: (value: T) => string | undefined,
): option.Option<T> => ({
  ...base,
  parse: (texts) => {
    const parsed = base.parse(texts)
    return typeof parsed === 'string' ? parsed : (findMistake(parsed.value) ?? parsed)
  },
})

/** Undefined where nothing is given; `shown` is what stands then. */
const whereGiven = <T>(
  shown: string,
  base: option.Option<T>,
  findMistake: (value: T) => string | undefined,
): option.Option<T | undefined> => ({ ...refine(base, findMistake), fallback: { value: undefined, shown } })

export const OPTIONS = {
  podSource: option.oneOf(['auto', 'kubelet', 'apiserver'], {
    flag: 'pod-source',
    env: 'POD_SOURCE',
    default: 'auto',
    help: "Who tells of the node's pods; auto: the kubelet, and the API server while the kubelet does not answer",
  }),
  podsFile: option.optionalText({
    flag: 'pods-file',
    env: 'PODS_FILE',
    placeholder: 'FILE',
    help: "The node's pods as the kubelet's /pods answers, read anew at every pass, in place of POD_SOURCE",
  }),
  once: option.toggle({ flag: 'once', help: 'Make one pass and leave' }),
  plan: option.toggle({
    flag: 'plan',
    help: 'Print the writes of one pass as JSON lines, touch nothing, and leave',
  }),
  releaseOnExit: option.toggle({
    flag: 'release-on-exit',
    env: 'RELEASE_ON_EXIT',
    help: 'Lift every limit when told to end: for the time before an uninstallation',
  }),
  dataMounts: whereGiven(
    '/data, or none where DEVICE is set',
    option.list({
      flag: 'data-mount',
      env: 'DATA_MOUNT',
      placeholder: 'PATH[,PATH...]',
      help: 'Mount points of the disks to limit',
    }),
    (mounts) => (mounts.length === 0 ? 'names no mount point' : undefined),
  ),
  devices: option.list({
    flag: 'device',
    env: 'DEVICE',
    placeholder: 'DISK[,DISK...]',
    default: [],
    help: 'Disks to limit beside those of the data mounts, by name or number: nvme0n1, /dev/mapper/vg-data, 259:0',
  }),
  cgroupVersion: option.oneOf(['auto', 'v1', 'v2'], {
    flag: 'cgroup-version',
    env: 'CGROUP_VERSION',
    default: 'auto',
    help: 'Which cgroup interface throttles',
  }),
  cgroupRoot: option.text({
    flag: 'cgroup-root',
    env: 'CGROUP_ROOT',
    placeholder: 'DIR',
    default: '/sys/fs/cgroup',
    help: 'Where the cgroup filesystem is mounted',
  }),
  procRoot: option.text({
    flag: 'proc-root',
    env: 'PROC_ROOT',
    placeholder: 'DIR',
    default: '/proc',
    help: 'Where proc is mounted: its self/mountinfo is read',
  }),
  sysRoot: option.text({
    flag: 'sys-root',
    env: 'SYS_ROOT',
    placeholder: 'DIR',
    default: '/sys',
    help: 'Where sysfs is mounted',
  }),
  requireMark: option.toggle({
    flag: 'require-mark',
    env: 'REQUIRE_MARK',
    default: true,
    help: 'Limit only pods that admission marked (iops-limit/policy)',
  }),
  interval: refine(
    option.duration({
      flag: 'check-interval',
      env: 'CHECK_INTERVAL',
      default: '30s',
      help: 'Time between passes over everything, which find changed annotations where the kubelet tells of pods; new pods and containers do not wait',
    }),
    (milliseconds) => (milliseconds < 100 ? 'is shorter than 100ms, which would only burn CPU' : undefined),
  ),
  nodeName: option.optionalText({
    flag: 'node-name',
    env: 'NODE_NAME',
    placeholder: 'NAME',
    help: "The node's name: whose pods the API server is asked for",
  }),
  ...KUBELET_OPTIONS,
  ...USAGE_OPTIONS,
  events: option.toggle({
    flag: 'events',
    env: 'EVENTS',
    default: true,
    help: 'Send Warning Events about pods whose limit cannot be enforced, where there is a service account',
  }),
  serviceAccount: option.text({
    flag: 'service-account',
    env: 'SERVICE_ACCOUNT_PATH',
    placeholder: 'DIR',
    default: '/var/run/secrets/kubernetes.io/serviceaccount',
    help: 'Where token and ca.crt of the service account are mounted',
  }),
  host: option.text({
    flag: 'host',
    env: 'HOST',
    placeholder: 'ADDRESS',
    default: '::',
    help: 'Address that the metrics are served on',
  }),
  metricsPort: option.port({
    flag: 'metrics-port',
    env: 'METRICS_PORT',
    default: 8081,
    help: 'Port of /metrics, /healthz, /readyz and /api/v1 (HTTP)',
  }),
  logLevel: option.oneOf(LOG_LEVELS, {
    flag: 'log-level',
    env: 'LOG_LEVEL',
    default: 'info',
    help: 'What is logged, to standard error',
  }),
} as const

export type EnforcerSettings = SettingsOf<typeof OPTIONS>

/** Mount points whose disks are limited. */
export const mountsOf = ({ dataMounts, devices }: EnforcerSettings): readonly string[] =>
  dataMounts ?? (devices.length > 0 ? [] : ['/data'])

export const HELP = formatHelp(
  `Usage: iops-limit-enforcer [--once | --plan] [option...]
       iops-limit-enforcer release [option...]

Writes the disk-IO limits of admitted pods to their cgroups: io.max (v2) or blkio.throttle.* (v1).
release: lifts the limits of every pod on the disks, whoever set them, and leaves.
Exit status: 0 every limit holds, 1 something could not be enforced, 2 it could not run.`,
  OPTIONS,
)
