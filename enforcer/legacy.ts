/** What the environment of the older service, and settings that weaken, give occasion to say at each start. */
import type { EnforcerSettings } from './settings.ts'

export interface LegacyNotice {
  readonly level: 'info' | 'warn'
  readonly variable: string
  readonly text: string
}

export function findLegacyNotices(
  { kubeletSkipVerify }: EnforcerSettings,
  env: Readonly<Record<string, string | undefined>>,
): readonly LegacyNotice[] {
  const isSet = (name: string): boolean => (env[name] ?? '') !== ''
  return [
    ...UNNEEDED.filter((name) => env[name] !== undefined).map((variable) => ({
      level: 'info' as const,
      variable,
      text: `${variable} is not needed: cgroups are found by pod uid`,
    })),
    ...Object.entries(SUPERSEDED)
      .filter(([variable]) => isSet(variable))
      .map(([variable, text]) => ({
        level: 'warn' as const,
        variable,
        text: `${variable} has no effect: ${text}`,
      })),
    ...Object.keys(env)
      .filter((name) => POLICY.test(name) && isSet(name))
      .toSorted()
      .map((variable) => ({
        level: 'warn' as const,
        variable,
        text: `${variable} has no effect: which pods are limited, and to what, is for policies to say; "iops-limit migrate" writes one from these variables`,
      })),
    ...(kubeletSkipVerify
      ? [
          {
            level: 'warn' as const,
            variable: 'KUBELET_SKIP_VERIFY',
            text: "KUBELET_SKIP_VERIFY is on: whoever answers in the kubelet's place is believed, and shown the token; set KUBELET_CA_PATH to the kubelet's CA or certificate instead",
          },
        ]
      : []),
  ]
}

const UNNEEDED = ['CONTAINER_RUNTIME', 'CONTAINER_SOCKET_PATH', 'CONTAINERD_NAMESPACE'] as const

/** What stands in their place. */
const SUPERSEDED: Readonly<Record<string, string>> = {
  KUBECONFIG_PATH: 'the API server is met by the service account (SERVICE_ACCOUNT_PATH)',
  KUBELET_SA_TOKEN_PATH: "set KUBELET_TOKEN_PATH; left out, the service account's token is shown",
}

/** Defaults, exemptions and the limiter by load of the older service. */
const POLICY =
  /^(?:CONTAINER_(?:(?:READ|WRITE)_)?(?:IOPS|BPS)_LIMIT|EXCLUDE_(?:KEYWORDS|NAMESPACES|LABEL_SELECTOR)|SMART_LIMIT_(?!USE_KUBELET_API$)[A-Z0-9_]+)$/
