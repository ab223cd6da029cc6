/** The Secret that holds the certificates' material, read through the API: no volume lags behind it. */
import { formatMaterial, type Material, parseMaterial } from '../../certs/material.ts'
import { childOf, readMap, readString, rootField } from '../../contract/reader.ts'
import { isKubeError } from '../../kube/error.ts'
import { followCollection } from '../../kube/follow.ts'
import type { FollowingTools } from './tools.ts'

export interface SecretName {
  readonly namespace: string
  readonly name: string
}

export interface SecretState {
  /** A text: why there is none; empty where there is no Secret. */
  readonly material: Material | string
  /** Undefined where there is no Secret. */
  readonly version: string | undefined
}

export interface SecretDeps extends FollowingTools {
  readonly secret: SecretName
  readonly observe: { readonly failed: (error: unknown) => void }
}

export interface SecretFile {
  /** Undefined until it is known. */
  readonly state: SecretState | undefined
  /** Writes where the Secret still is what it was; false where somebody else was quicker. */
  write(material: Material, upon: SecretState): Promise<boolean>
  /** Until stopped; never rejects. */
  run(stopped: AbortSignal): Promise<void>
}

export function createSecretFile(deps: SecretDeps, onChange: () => void): SecretFile {
  const { client, secret, observe } = deps
  const path = `/api/v1/namespaces/${encodeURIComponent(secret.namespace)}/secrets`
  let state: SecretState | undefined
  const take = (item: unknown): void => {
    state = item === undefined ? { material: '', version: undefined } : readSecret(item)
    onChange()
  }
  return {
    get state() {
      return state
    },
    async write(material, { version }) {
      try {
        take(await client.request(formatWrite(path, secret, material, version)))
        return true
      } catch (error) {
        // The watch brings what the other one wrote.
        if (isKubeError(error, 'Conflict', 'AlreadyExists', 'NotFound')) return false
        throw error
      }
    },
    run: (stopped) =>
      followCollection(
        client,
        { path, query: { fieldSelector: `metadata.name=${secret.name}` } },
        {
          ...deps,
          stopped,
          events: {
            listed: (items) => take(items[0]),
            changed: (type, item) => take(type === 'DELETED' ? undefined : item),
          },
          observe: { synced: () => undefined, restarted: () => undefined, failed: observe.failed },
        },
      ),
  }
}

function formatWrite(path: string, { namespace, name }: SecretName, material: Material, version?: string) {
  const data = Object.fromEntries(
    Object.entries(formatMaterial(material)).map(([key, text]) => [
      key,
      Buffer.from(text).toString('base64'),
    ]),
  )
  const body = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      namespace,
      name,
      labels: { 'app.kubernetes.io/managed-by': 'iops-limit-webhook' },
      ...(version !== undefined && { resourceVersion: version }),
    },
    data,
  }
  return version === undefined
    ? ({ method: 'POST', path, body } as const)
    : ({ method: 'PUT', path: `${path}/${encodeURIComponent(name)}`, body } as const)
}

function readSecret(item: unknown): SecretState {
  const root = rootField(item, 'secret')
  const secret = readMap(root) ?? {}
  const metadata = childOf(root, secret, 'metadata')
  const version = readString(childOf(metadata, readMap(metadata) ?? {}, 'resourceVersion'))
  const data = childOf(root, secret, 'data')
  const entries = Object.entries(data.value === undefined ? {} : (readMap(data) ?? {}))
  const files = entries.flatMap(([key, text]) =>
    typeof text === 'string' ? [[key, Buffer.from(text, 'base64').toString('utf8')] as const] : [],
  )
  return { version, material: parseMaterial(Object.fromEntries(files)) }
}
