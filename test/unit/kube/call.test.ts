import { expect, it } from 'vitest'
import { findDeed } from '../../../kube/call.ts'

it.each([
  ['GET', '/api/v1/namespaces', false, 'list namespaces'],
  ['GET', '/api/v1/namespaces', true, 'watch namespaces'],
  ['GET', '/api/v1/namespaces/team', false, 'get namespaces'],
  ['PATCH', '/api/v1/namespaces/team/status', false, 'patch namespaces/status'],
  ['GET', '/api/v1/namespaces/team/pods', false, 'list pods'],
  ['PATCH', '/api/v1/namespaces/team/pods/web', false, 'patch pods'],
  [
    'PATCH',
    '/apis/policy.iops-limit/v1alpha1/iolimitpolicies/gold/status',
    false,
    'patch iolimitpolicies/status',
  ],
  ['PUT', '/apis/coordination.k8s.io/v1/namespaces/a/leases/b', false, 'update leases'],
  ['POST', '/apis/events.k8s.io/v1/namespaces/a/events', false, 'create events'],
  ['DELETE', '/api/v1/namespaces/a/pods', false, 'deletecollection pods'],
  ['DELETE', '/api/v1/namespaces/a/pods/b', false, 'delete pods'],
  ['OPTIONS', '/api/v1/pods', false, 'options pods'],
  ['GET', '/readyz', false, 'list other'],
])('%s %s', (method, path, watches, words) => {
  const { verb, resource } = findDeed({ method, path, watches })
  expect(`${verb} ${resource}`).toBe(words)
})
