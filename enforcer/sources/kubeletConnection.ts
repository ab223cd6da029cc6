/** How the kubelet is met: its certificate is a CA's or, by default, one that it made for itself. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import type { CallOptions, Connection } from '../../kube/client.ts'
import type { KubeletSettings } from './kubeletSettings.ts'

type Environment = Readonly<Record<string, string | undefined>>

export function findKubelet(settings: KubeletSettings, env: Environment): Connection {
  const host = settings.kubeletHost ?? (env['NODE_IP'] || env['HOST_IP'] || 'localhost')
  const findCheck = createChecks(settings)
  return {
    origin: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${settings.kubeletPort}`),
    readOptions: async () => ({
      ...(await readTrust(settings, findCheck)),
      ...(await readIdentity(settings)),
    }),
  }
}

/** Files are read anew at each call, for all of them rotate. */
async function readTrust(settings: KubeletSettings, findCheck: FindCheck): Promise<CallOptions> {
  const { kubeletSkipVerify, kubeletServerName, kubeletCa, serviceAccount } = settings
  const named = kubeletServerName === undefined ? {} : { servername: kubeletServerName }
  if (kubeletSkipVerify) return { ...named, rejectUnauthorized: false }
  const ca =
    kubeletCa === undefined
      ? await readOptional(path.join(serviceAccount, 'ca.crt'))
      : await readFile(kubeletCa, 'utf8')
  if (ca === undefined) return named
  return {
    ...named,
    ca,
    // A pinned certificate is trusted for itself, whether or not it is a CA's.
    allowPartialTrustChain: true,
    checkServerIdentity: findCheck(ca),
  }
}

type Check = typeof checkServerIdentity
type FindCheck = (ca: string) => Check

/** The same one for as long as the CA is, so that connections are kept. */
function createChecks({ kubeletServerName }: KubeletSettings): FindCheck {
  let last: { readonly ca: string; readonly check: Check } | undefined
  return (ca) => {
    if (last?.ca !== ca)
      last = {
        ca,
        check: (host, shown) =>
          isPinned(shown, ca) ? undefined : checkServerIdentity(kubeletServerName ?? host, shown),
      }
    return last.check
  }
}

/** The kubelet's own certificate is for the node's name only, not for its address: pinned, it needs no name. */
const isPinned = ({ raw }: PeerCertificate, ca: string): boolean =>
  ca.replaceAll(/\s/g, '').includes(raw.toString('base64'))

async function readIdentity(settings: KubeletSettings): Promise<CallOptions> {
  const { kubeletClientCert, kubeletClientKey, kubeletToken, serviceAccount } = settings
  if (kubeletClientCert !== undefined && kubeletClientKey !== undefined) {
    const [cert, key] = await Promise.all(
      [kubeletClientCert, kubeletClientKey].map((file) => readFile(file, 'utf8')),
    )
    return {
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(await readToken(kubeletToken)),
    }
  }
  return await readToken(kubeletToken ?? path.join(serviceAccount, 'token'), kubeletToken !== undefined)
}

async function readToken(file: string | undefined, isNeeded = true): Promise<CallOptions> {
  if (file === undefined) return {}
  const token = isNeeded ? await readFile(file, 'utf8') : await readOptional(file)
  return token === undefined ? {} : { headers: { authorization: `Bearer ${token.trim()}` } }
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined
  }
}
