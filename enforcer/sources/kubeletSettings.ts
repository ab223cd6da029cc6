import * as option from '../../settings/option.ts'
import type { SettingsOf } from '../../settings/settings.ts'

/** How the kubelet is met; the names are those of the older service. */
export const KUBELET_OPTIONS = {
  kubeletHost: option.optionalText({
    flag: 'kubelet-host',
    env: 'KUBELET_HOST',
    placeholder: 'ADDRESS',
    help: 'Where the kubelet is; left out: NODE_IP, HOST_IP, or localhost',
  }),
  kubeletPort: option.port({ flag: 'kubelet-port', env: 'KUBELET_PORT', default: 10_250, help: 'Its port' }),
  kubeletServerName: option.optionalText({
    flag: 'kubelet-server-name',
    env: 'KUBELET_SERVER_NAME',
    placeholder: 'NAME',
    help: 'The name that its certificate is for, where that is not its address',
  }),
  kubeletCa: option.optionalText({
    flag: 'kubelet-ca',
    env: 'KUBELET_CA_PATH',
    placeholder: 'FILE',
    help: "CA of the kubelet's certificate, or that certificate itself (kubelet.crt); left out: the cluster's CA",
  }),
  kubeletClientCert: option.optionalText({
    flag: 'kubelet-client-cert',
    env: 'KUBELET_CLIENT_CERT_PATH',
    placeholder: 'FILE',
    help: 'Client certificate to show the kubelet; needs KUBELET_CLIENT_KEY_PATH',
  }),
  kubeletClientKey: option.optionalText({
    flag: 'kubelet-client-key',
    env: 'KUBELET_CLIENT_KEY_PATH',
    placeholder: 'FILE',
    help: 'Its key',
  }),
  kubeletToken: option.optionalText({
    flag: 'kubelet-token',
    env: 'KUBELET_TOKEN_PATH',
    placeholder: 'FILE',
    help: "Token to show the kubelet, read anew at each call; left out: the service account's, unless there is a client certificate",
  }),
  kubeletSkipVerify: option.toggle({
    flag: 'kubelet-skip-verify',
    env: 'KUBELET_SKIP_VERIFY',
    help: 'Talk to whoever answers as the kubelet, without looking at the certificate',
  }),
} as const

export type KubeletSettings = SettingsOf<typeof KUBELET_OPTIONS> & { readonly serviceAccount: string }
