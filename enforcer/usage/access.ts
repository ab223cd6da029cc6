/**
 * Who may look: a bearer token that the API server knows (TokenReview), whose user may get the path (SubjectAccessReview on a
 * nonResourceURL of our own: see {@link rightOf}). Answers are remembered for a moment, as API servers do with each other.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/webhook/, k8s.io/apiserver/pkg/authentication/authenticatorfactory
 */
import { createHash } from 'node:crypto'
import { messageOf } from '../../contract/problem.ts'
import { childOf, readBoolean, readMap, readString, rootField } from '../../contract/reader.ts'
import type { KubeClient } from '../../kube/client.ts'

export type Verdict =
  | { readonly kind: 'allowed' }
  /** 401: nobody that the API server knows; 403: may not; 503: cannot be asked. */
  | { readonly kind: 'refused'; readonly status: 401 | 403 | 503; readonly reason: string }

export interface Access {
  /** `token`: undefined where none was shown; `path`: `/api/v1/limits`. Never rejects. */
  readonly check: (token: string | undefined, path: string) => Promise<Verdict>
}

export interface AccessDeps {
  /** Undefined: there is no API server to ask. */
  readonly client: KubeClient | undefined
  /** Milliseconds. */
  readonly clock: () => number
  /** Tokens must be for one of these; none: for the API server itself. */
  readonly audiences: readonly string[]
}

/** Milliseconds, by status; 200 as the kubelet remembers tokens: whoever looks at every node once a minute is many calls. */
const REMEMBERED = { 200: 120_000, 401: 10_000, 403: 10_000, 503: 1_000 } as const
/** Tokens that are remembered at a time: whoever sends more is asked about each time. */
const MOST = 1_000

export function createAccess({ client, clock, audiences }: AccessDeps): Access {
  const known = new Map<string, { until: number; readonly verdict: Promise<Verdict> }>()
  const remember = (key: string, verdict: Promise<Verdict>): void => {
    for (const [old, { until }] of known) if (clock() >= until) known.delete(old)
    if (known.size >= MOST) return
    const entry = { until: Number.POSITIVE_INFINITY, verdict }
    known.set(key, entry)
    void verdict.then((told) => {
      entry.until = clock() + REMEMBERED[told.kind === 'allowed' ? 200 : told.status]
    })
  }
  return {
    check: async (token, path) => {
      if (token === undefined) return refuse(401, NO_TOKEN)
      if (client === undefined) return refuse(503, NO_SERVER)
      const key = `${createHash('sha256').update(token).digest('base64')} ${path}`
      const found = known.get(key)
      if (found !== undefined && clock() < found.until) return await found.verdict
      const verdict = review(client, { token, audiences, path })
      remember(key, verdict)
      return await verdict
    },
  }
}

/**
 * `/iops-limit/v1/limits`, as roles have to name it. Not the page's own path: every user may get `/api/*` of an API server
 * (system:discovery), and would see every page.
 */
const rightOf = (path: string): string => path.replace(/^\/api\//, '/iops-limit/')

const NO_TOKEN =
  'show a bearer token: Authorization: Bearer TOKEN, or X-Iops-Limit-Token: TOKEN through a proxy that keeps the first to itself'
const NO_SERVER =
  'tokens cannot be checked: there is no API server to ask; give the enforcer a service account, or HOST=127.0.0.1'

const refuse = (status: 401 | 403 | 503, reason: string): Verdict => ({ kind: 'refused', status, reason })

interface Asked {
  readonly token: string
  readonly audiences: readonly string[]
  readonly path: string
}

async function review(client: KubeClient, { token, audiences, path }: Asked): Promise<Verdict> {
  try {
    const user = await findUser(client, token, audiences)
    if (user === undefined) return refuse(401, 'the API server does not know this token, or it is for others')
    return (await isAllowed(client, user, path))
      ? { kind: 'allowed' }
      : refuse(
          403,
          `${user.name} may not look: bind a ClusterRole with nonResourceURLs ["${rightOf(path)}"], verbs ["get"]`,
        )
  } catch (error) {
    return refuse(503, `the token cannot be checked: ${messageOf(error)}`)
  }
}

interface User {
  readonly name: string
  /** `username`, `uid`, `groups` and `extra`, as the API server told them. */
  readonly facts: Readonly<Record<string, unknown>>
}

/** Source: k8s.io/api/authentication/v1 (TokenReview). */
async function findUser(
  client: KubeClient,
  token: string,
  audiences: readonly string[],
): Promise<User | undefined> {
  const answer = rootField(
    await post(client, '/apis/authentication.k8s.io/v1/tokenreviews', {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' },
      spec: { token, ...(audiences.length > 0 && { audiences }) },
    }),
    'TokenReview',
  )
  const status = childOf(answer, readMap(answer) ?? {}, 'status')
  const facts = readMap(status) ?? {}
  const authenticated = childOf(status, facts, 'authenticated')
  if (authenticated.value === undefined || readBoolean(authenticated) !== true) return undefined
  const user = childOf(status, facts, 'user')
  const told = readMap(user) ?? {}
  const name = readString(childOf(user, told, 'username'))
  return name === undefined ? undefined : { name, facts: told }
}

/** Source: k8s.io/api/authorization/v1 (SubjectAccessReview). */
async function isAllowed(client: KubeClient, { name, facts }: User, path: string): Promise<boolean> {
  const { uid, groups, extra } = facts
  const answer = rootField(
    await post(client, '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' },
      spec: { user: name, uid, groups, extra, nonResourceAttributes: { path: rightOf(path), verb: 'get' } },
    }),
    'SubjectAccessReview',
  )
  const status = childOf(answer, readMap(answer) ?? {}, 'status')
  return childOf(status, readMap(status) ?? {}, 'allowed').value === true
}

/** Milliseconds: somebody waits. */
const PATIENCE = 5_000

const post = (client: KubeClient, path: string, body: object): Promise<unknown> =>
  client.request({ method: 'POST', path, body, timeout: PATIENCE })
