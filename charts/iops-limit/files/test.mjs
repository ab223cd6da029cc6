// What `helm test` runs, on the Node of the webhook's image: a pod of an opted-in namespace is given its default by the
// whole chain (policy, namespace, certificate, webhook). Everything it makes goes again; the pod is a dry run.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const name = process.env.TEST_NAME
const account = '/var/run/secrets/kubernetes.io/serviceaccount'
const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port } = process.env
const origin = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
const POLICIES = '/apis/policy.iops-limit/v1alpha1/iolimitpolicies'
const DEFAULT = '1234'
const ATTEMPTS = 60

async function call(method, path, body) {
  const answer = await fetch(`${origin}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${readFileSync(`${account}/token`, 'utf8')}`,
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return JSON.parse(text)
}

const policy = {
  apiVersion: 'policy.iops-limit/v1alpha1',
  kind: 'IOLimitPolicy',
  metadata: { name },
  spec: { rules: [{ name: 'all', default: { iops: DEFAULT } }] },
}
const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { 'iops-limit/enforce': name } },
}
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'pod' },
  spec: {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'main',
        image: 'none',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
}

async function test() {
  await call('POST', POLICIES, policy)
  await call('POST', '/api/v1/namespaces', namespace)
  let last = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const { metadata } = await call('POST', `/api/v1/namespaces/${name}/pods?dryRun=All`, pod)
      const annotations = metadata.annotations ?? {}
      if (
        annotations['iops-limit/policy'] === `${name}/all` &&
        annotations['iops-limit/read-iops'] === DEFAULT
      ) {
        console.log(`a pod gets its default: ${JSON.stringify(annotations)}`)
        return
      }
      last = `a pod has the annotations ${JSON.stringify(annotations)}`
    } catch (error) {
      last = String(error)
    }
    await sleep(1000)
  }
  throw new Error(`after ${ATTEMPTS} attempts ${last}, and iops-limit/read-iops=${DEFAULT} should be there`)
}

const clean = () =>
  Promise.allSettled([call('DELETE', `/api/v1/namespaces/${name}`), call('DELETE', `${POLICIES}/${name}`)])

process.once('SIGTERM', () => void clean().finally(() => process.exit(1)))
try {
  await test()
} finally {
  await clean()
}
