import * as option from '../settings/option.ts'
import { formatHelp, type SettingsOf } from '../settings/settings.ts'

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

export const OPTIONS = {
  podsFile: option.text({
    flag: 'pods-file',
    env: 'PODS_FILE',
    placeholder: 'FILE',
    help: "The node's pods as the kubelet's /pods answers, read anew at every pass; this version reads pods from nowhere else",
  }),
  once: option.toggle({ flag: 'once', help: 'Make one pass and leave' }),
  plan: option.toggle({
    flag: 'plan',
    help: 'Print the writes of one pass as JSON lines, touch nothing, and leave',
  }),
  dataMounts: refine(
    option.list({
      flag: 'data-mount',
      env: 'DATA_MOUNT',
      placeholder: 'PATH[,PATH...]',
      default: ['/data'],
      help: 'Mount points of the disks to limit',
    }),
    (mounts) => (mounts.length === 0 ? 'names no mount point' : undefined),
  ),
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
      default: '10s',
      help: 'Time between passes',
    }),
    (milliseconds) => (milliseconds < 100 ? 'is shorter than 100ms, which would only burn CPU' : undefined),
  ),
  nodeName: option.optionalText({
    flag: 'node-name',
    env: 'NODE_NAME',
    placeholder: 'NAME',
    help: "The node's name, for the log",
  }),
  logLevel: option.oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    flag: 'log-level',
    env: 'LOG_LEVEL',
    default: 'info',
    help: 'What is logged, to standard error',
  }),
} as const

export type EnforcerSettings = SettingsOf<typeof OPTIONS>

/** Settings of the older service that nothing needs any more: accepted, and said to be. */
export const UNNEEDED = ['CONTAINER_RUNTIME', 'CONTAINER_SOCKET_PATH'] as const

export const HELP = formatHelp(
  `Usage: iops-limit-enforcer --pods-file FILE [--once | --plan] [option...]

Writes the disk-IO limits of admitted pods to their cgroups: io.max (v2) or blkio.throttle.* (v1).
Exit status: 0 every limit holds, 1 something could not be enforced, 2 it could not run.`,
  OPTIONS,
)
