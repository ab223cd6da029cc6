/**
 * The webhook configurations of the API server: they are the chart's, and of each this writes one thing, the caBundle of its
 * webhooks, under a field manager of its own, and only where another one stands there.
 */
import { childOf, readList, readMap, readString, rootField } from '../../contract/reader.ts'
import { isKubeError } from '../../kube/error.ts'
import { followCollection } from '../../kube/follow.ts'
import type { FollowingTools } from './tools.ts'

export interface ConfigurationsObserver {
  /** The bundle was written to this configuration: `mutatingwebhookconfigurations/NAME`. */
  readonly published: (configuration: string) => void
  readonly failed: (error: unknown) => void
}

export interface ConfigurationsDeps extends FollowingTools {
  readonly configurations: readonly string[]
  readonly observe: ConfigurationsObserver
}

export interface Configurations {
  /** Every configuration was looked for; some may not be there. */
  readonly isKnown: boolean
  /** PEM: the bundles that stand there, each once; empty texts where there is none yet. */
  readonly published: readonly string[]
  publish(bundle: string): Promise<void>
  /** Until stopped; never rejects. */
  run(stopped: AbortSignal): Promise<void>
}

const GROUP = '/apis/admissionregistration.k8s.io/v1'
const RESOURCES = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const
export const FIELD_MANAGER = 'iops-limit-certificates'

interface Known {
  readonly path: string
  readonly version: string
  readonly webhooks: readonly { readonly name: string; readonly bundle: string }[]
}

interface Place {
  readonly resource: string
  readonly name: string
}

export function createConfigurations(deps: ConfigurationsDeps, onChange: () => void): Configurations {
  const places = RESOURCES.flatMap((resource) => deps.configurations.map((name) => ({ resource, name })))
  /** Null: it is not there. */
  const known = new Map<string, Known | null>()
  const take = (place: Place, item: unknown): void => {
    known.set(pathOf(place), item === undefined ? null : readConfiguration(place, item))
    onChange()
  }
  const present = (): readonly Known[] => [...known.values()].filter((one) => one !== null)
  return {
    get isKnown() {
      return known.size === places.length
    },
    get published() {
      const bundles = present().flatMap(({ webhooks }) => webhooks.map(({ bundle }) => bundle))
      return [...new Set(bundles)]
    },
    async publish(bundle) {
      for (const place of places) {
        const one = known.get(pathOf(place))
        if (one === undefined || one === null || one.webhooks.every((webhook) => webhook.bundle === bundle))
          continue
        const item = await patch(one, bundle, deps)
        if (item !== undefined) take(place, item)
      }
    },
    async run(stopped) {
      await Promise.all(places.map((place) => follow(place, { ...deps, stopped, take })))
    },
  }
}

const pathOf = ({ resource, name }: Place): string => `${GROUP}/${resource}/${encodeURIComponent(name)}`

interface FollowPlace extends ConfigurationsDeps {
  readonly stopped: AbortSignal
  readonly take: (place: Place, item: unknown) => void
}

function follow(place: Place, { take, observe, ...deps }: FollowPlace): Promise<void> {
  const path = `${GROUP}/${place.resource}`
  return followCollection(
    deps.client,
    { path, query: { fieldSelector: `metadata.name=${place.name}` } },
    {
      ...deps,
      events: {
        listed: (items) => take(place, items[0]),
        changed: (type, item) => take(place, type === 'DELETED' ? undefined : item),
      },
      observe: { synced: () => undefined, restarted: () => undefined, failed: observe.failed },
    },
  )
}

/** Undefined where the configuration has changed in between: the watch brings it. */
async function patch({ path, version, webhooks }: Known, bundle: string, deps: ConfigurationsDeps) {
  const value = Buffer.from(bundle).toString('base64')
  const operations = webhooks.flatMap((webhook, index) =>
    webhook.bundle === bundle ? [] : [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value }],
  )
  try {
    const item = await deps.client.request({
      method: 'PATCH',
      path,
      query: { fieldManager: FIELD_MANAGER },
      contentType: 'application/json-patch+json',
      body: [{ op: 'test', path: '/metadata/resourceVersion', value: version }, ...operations],
    })
    deps.observe.published(path.slice(GROUP.length + 1))
    return item
  } catch (error) {
    if (isKubeError(error, 'Invalid', 'Conflict', 'NotFound')) return undefined
    throw error
  }
}

function readConfiguration(place: Place, item: unknown): Known {
  const root = rootField(item, place.resource)
  const map = readMap(root) ?? {}
  const metadata = childOf(root, map, 'metadata')
  const version = readString(childOf(metadata, readMap(metadata) ?? {}, 'resourceVersion')) ?? ''
  const list = childOf(root, map, 'webhooks')
  const webhooks = (list.value === undefined ? [] : (readList(list) ?? [])).map((field) => {
    const webhook = readMap(field) ?? {}
    const config = childOf(field, webhook, 'clientConfig')
    const { caBundle } = readMap(config) ?? {}
    return {
      name: readString(childOf(field, webhook, 'name')) ?? '',
      bundle: typeof caBundle === 'string' ? Buffer.from(caBundle, 'base64').toString('utf8') : '',
    }
  })
  return { path: pathOf(place), version, webhooks }
}
