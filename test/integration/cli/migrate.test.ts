import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createFolder } from '../../support/cli/folder.ts'

const MANIFESTS = `# the web tier
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    kubediskguard.io/iops: "100"
spec:
  template:
    metadata:
      annotations:
        # limits, as agreed
        kubediskguard.io/read-iops: "800" # reads
        note: "x"
        nvme-iops-write: '400'   # old
    spec:
      containers: [{name: c, image: i}]
---
apiVersion: v1
kind: Namespace
metadata: {name: team}
---
apiVersion: v1
kind: Namespace
metadata: {name: monitoring}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kubediskguard, namespace: kube-system}
spec:
  template:
    spec:
      containers:
      - name: kubediskguard
        image: kdg
        env:
        - {name: CONTAINER_READ_IOPS_LIMIT, value: "700"}
        - {name: EXCLUDE_KEYWORDS, value: "pause,istio"}
        - {name: EXCLUDE_LABEL_SELECTOR, value: "tier in (infra),app!=x"}
        - {name: EXCLUDE_NAMESPACES, value: "kube-system,monitoring"}
        - {name: SMART_LIMIT_ENABLED, value: "true"}
        - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
`

const MIGRATED = MANIFESTS.replace('kubediskguard.io/read-iops', 'iops-limit/read-iops')
  .replace('nvme-iops-write', 'iops-limit/write-iops')
  .replace('{name: team}', '{name: team, labels: {iops-limit/enforce: "migrated"}}')

const POLICY = `apiVersion: policy.iops-limit/v1alpha1
kind: IOLimitPolicy
metadata:
  name: migrated
spec:
  exemptNamespaces:
  - kube-system
  - monitoring
  rules:
  - name: excluded
    selector: tier in (infra),app!=x
    exempt: true
  - name: containers
    exemptContainers:
      names:
      - '*pause*'
      - '*istio*'
      images:
      - '*pause*'
      - '*istio*'
    default:
      readIOPS: 700
      writeIOPS: 500
    scope: container
`

const SAID = `./app.yaml:11: kubediskguard.io/read-iops is now iops-limit/read-iops
./app.yaml:11: nvme-iops-write is now iops-limit/write-iops
./app.yaml:11: nvme-iops-write limited nothing in the older service's last version, beside keys of kubediskguard.io/, and limits now
./app.yaml:7: kubediskguard.io/iops limits nothing here: it belongs on the pod template
SMART_LIMIT_ENABLED: limits by measured load have no counterpart: the policy limits always
a pod without one of the limits gets the default on itself, as iops-limit/read-iops and its kin, when it is made or changed
init containers are limited too: the older service never looked at them
pods that run already get theirs by the back-fill, or when they are made anew
`

it('rewrites keys, comments and order kept; the environment becomes a policy and labels', async () => {
  using folder = createFolder({ 'app.yaml': MANIFESTS })
  expect(await folder.run(['migrate', '-f', './app.yaml'])).toEqual({
    code: 0,
    stdout: `${MIGRATED}---\n${POLICY}`,
    stderr: SAID,
  })
})

it('what comes out is judged by the policy in it', async () => {
  using folder = createFolder({ 'app.yaml': MANIFESTS })
  const { stdout } = await folder.run(['migrate', './app.yaml'])
  const { code, stdout: report } = await folder.run(['review', '-', '--namespace', 'team'], { stdin: stdout })
  expect(code).toBe(0)
  expect(report).toContain('Deployment team/web')
  expect(report).toContain('read-iops=800 write-iops=400')
})

it('--write: in place, and what has nothing to change is not touched', async () => {
  using folder = createFolder({ 'app.yaml': MANIFESTS, 'other.yaml': 'kind:   Service\napiVersion: v1\n' })
  const { code, stdout } = await folder.run(['migrate', '--write', '.'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: POLICY })
  expect(readFileSync(join(folder.path, 'app.yaml'), 'utf8')).toBe(MIGRATED)
  expect(readFileSync(join(folder.path, 'other.yaml'), 'utf8')).toBe('kind:   Service\napiVersion: v1\n')
})

it('an environment alone: a policy, and the labels that remain to be set', async () => {
  using folder = createFolder({
    'old.env': 'CONTAINER_WRITE_BPS_LIMIT=1048576\nEXCLUDE_KEYWORDS="c*"\nSMART_LIMIT_ENABLED=true\n',
  })
  const { code, stdout, stderr } = await folder.run([
    'migrate',
    '--env-file',
    './old.env',
    '--policy-name',
    'old',
  ])
  expect(code).toBe(0)
  expect(stdout).toBe(`apiVersion: policy.iops-limit/v1alpha1
kind: IOLimitPolicy
metadata:
  name: old
spec:
  exemptNamespaces:
  - kube-system
  rules:
  - name: containers
    exemptContainers:
      nameRegexes:
      - .*c\\*.*
      imageRegexes:
      - .*c\\*.*
    default:
      readIOPS: 500
      writeIOPS: 500
      writeBPS: 1048576
    scope: container
`)
  expect(stderr).toContain(
    "EXCLUDE_NAMESPACES is not set: the older service's own default counts, kube-system\n",
  )
  expect(stderr.split('\n').at(-2)).toBe(
    'next: kubectl label namespace --all iops-limit/enforce=old; the policy has no effect in kube-system',
  )
})

it('exit code 1 where a value has to be mended by hand, 2 where it could not run', async () => {
  using folder = createFolder({ 'app.yaml': MANIFESTS.replace('"800"', '"5k"'), 'broken.yaml': 'a: [' })
  const unmended = await folder.run(['migrate', '-f', './app.yaml'])
  expect(unmended.code).toBe(1)
  expect(unmended.stderr).toContain('./app.yaml:11: to mend: iops-limit/read-iops: "5k" has a suffix')
  const broken = await folder.run(['migrate', '-f', './broken.yaml'])
  expect(broken).toMatchObject({ code: 2, stdout: '' })
  expect(await folder.run(['migrate'])).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'iops-limit migrate: nothing to migrate was named: write files, or --env-file FILE\nSee iops-limit migrate --help\n',
  })
  expect((await folder.run(['migrate', '--help'])).code).toBe(0)
})

it('once migrated there is nothing more to migrate', async () => {
  using folder = createFolder({ 'app.yaml': MIGRATED.replace('kubediskguard.io/iops', 'note') })
  const { stdout, stderr } = await folder.run(['migrate', './app.yaml'])
  expect(stdout).toBe(`${MIGRATED.replace('kubediskguard.io/iops', 'note')}---\n${POLICY}`)
  expect(stderr).not.toContain('is now')
})
