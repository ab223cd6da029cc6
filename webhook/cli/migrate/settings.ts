/** Where the older service's environment stands: a file of KEY=VALUE lines, or the manifest that deploys it. */
import { findPodKind } from '../../admission/workload.ts'
import { isFields, type ManifestObject } from '../manifest/objects.ts'
import { valueAt } from '../manifest/path.ts'
import { type Environment, VARIABLES } from './environment.ts'

/** As `docker run --env-file` and systemd read it: comments, blank lines, `export`, and quotes around a value. */
export function parseEnvironment(text: string): Environment {
  const pairs = text.split(/\r?\n/).flatMap((line) => {
    const [, name, value = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*?)\s*$/.exec(line) ?? []
    return name === undefined ? [] : [[name, value.replace(/^(["'])(.*)\1$/, '$2')] as const]
  })
  return Object.fromEntries(pairs)
}

/** Undefined where no container of the object has one of its variables. */
export function findEnvironment({ value }: ManifestObject): Environment | undefined {
  const kind = findPodKind(value)
  const containers = kind && valueAt(value, [...kind.path, 'spec', 'containers'])
  if (!Array.isArray(containers)) return undefined
  return containers.map(readVariables).find((env) => VARIABLES.some((name) => Object.hasOwn(env, name)))
}

/** Those with a value of their own: what `valueFrom` refers to is not here. */
function readVariables(container: unknown): Environment {
  const list = isFields(container) ? container['env'] : undefined
  const pairs = (Array.isArray(list) ? list : []).flatMap((item: unknown) => {
    const { name, value } = isFields(item) ? item : {}
    return typeof name === 'string' && typeof value === 'string' ? [[name, value] as const] : []
  })
  return Object.fromEntries(pairs)
}
