import * as option from '../settings/option.ts'

const INTERVAL = option.duration({
  flag: 'usage-interval',
  env: 'USAGE_INTERVAL',
  default: '60s',
  help: 'Time between samples of usage while somebody looks at /api/v1 (otherwise 5m), and what its rates are averages of',
})

/** How usage is sampled, and who may look at it. */
export const USAGE_OPTIONS = {
  usageFromKubelet: option.toggle({
    flag: 'usage-from-kubelet',
    env: 'SMART_LIMIT_USE_KUBELET_API',
    default: true,
    help: "Ask the kubelet for usage first (nodes/stats, nodes/metrics); off: the cgroups' own files alone",
  }),
  usageInterval: {
    ...INTERVAL,
    parse: (texts) => {
      const parsed = INTERVAL.parse(texts)
      if (typeof parsed === 'string' || parsed.value >= 1_000) return parsed
      return 'is shorter than 1s, which is too short for a rate'
    },
  } satisfies option.Option<number>,
  kubeletTimeout: option.duration({
    flag: 'kubelet-timeout',
    env: 'KUBELET_TIMEOUT',
    default: '15s',
    help: 'Longest time for one answer of the kubelet about usage; it is asked three times at most',
  }),
  apiAudiences: option.list({
    flag: 'api-audience',
    env: 'API_AUDIENCE',
    placeholder: 'NAME[,NAME...]',
    default: [],
    help: 'Whom tokens for /api/v1 must be made out to; left out: the API server. They are asked for unless HOST is loopback',
  }),
} as const
