/** The rules of rendered roles, as docs/rbac.md writes them. */

export interface Right {
  /** `iops-limit-webhook (ClusterRole)`. */
  readonly role: string
  /** `` `secrets` named `iops-limit-webhook-tls` ``. */
  readonly resources: string
  readonly verbs: readonly string[]
}

interface Rule {
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

interface Role {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly rules: readonly Rule[]
}

export const isRole = (object: object): object is Role =>
  'kind' in object && (object.kind === 'ClusterRole' || object.kind === 'Role')

export const findRights = (objects: readonly object[]): readonly Right[] =>
  objects.filter(isRole).flatMap(({ kind, metadata, rules }) =>
    rules.map((rule) => ({
      role: `${metadata.name} (${kind})`,
      resources: formatResources(rule),
      verbs: rule.verbs,
    })),
  )

function formatResources(rule: Rule): string {
  const { apiGroups = [], resources = [], nonResourceURLs = [], resourceNames = [] } = rule
  const full = apiGroups.flatMap((group) =>
    resources.map((resource) => `\`${group === '' ? resource : `${resource}.${group}`}\``),
  )
  const names = resourceNames.map((name) => `\`${name}\``)
  const urls = nonResourceURLs.map((url) => `\`${url}\``)
  return `${[...full, ...urls].join(', ')}${names.length > 0 ? ` named ${names.join(', ')}` : ''}`
}

/** What the tables say, each under the heading of its role; a row without a reason is none. */
export function readRights(text: string): readonly Right[] {
  let role = ''
  return text.split('\n').flatMap((line) => {
    const [, heading] = /^## (.+)$/.exec(line) ?? []
    if (heading !== undefined) role = heading
    const [, resources = '', verbs = ''] = /^\| (`.+?) \| ([a-z, ]+) \| \S.* \|$/.exec(line) ?? []
    return resources === '' ? [] : [{ role, resources, verbs: verbs.split(', ') }]
  })
}
