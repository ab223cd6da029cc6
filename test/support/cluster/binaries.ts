/** Where the programs of a control plane are: KUBEBUILDER_ASSETS first, as its convention is, then the cache, then PATH. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

const VERSION = '1.35.4'

/** Throws a sentence that says how to get what is missing: a suite that needs it cannot pass without it. */
export function findBinary(name: string): string {
  const found = folders()
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file))
  if (found !== undefined) return found
  const cure =
    name === 'etcd'
      ? 'install etcd (Debian: etcd-server)'
      : 'run test/tools/kubernetes.sh, or set KUBEBUILDER_ASSETS'
  throw new Error(`there is no ${name} on this machine: ${cure}`)
}

function folders(): readonly string[] {
  const { KUBEBUILDER_ASSETS, IOPS_LIMIT_CACHE, XDG_CACHE_HOME, PATH = '' } = process.env
  const cache = IOPS_LIMIT_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'iops-limit')
  return [
    ...(KUBEBUILDER_ASSETS === undefined ? [] : [KUBEBUILDER_ASSETS]),
    join(cache, `kubernetes-${VERSION}`),
    join(cache, 'helm-2.2.2'),
    ...PATH.split(delimiter),
  ]
}
