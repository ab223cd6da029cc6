import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createFolder } from '../../support/cli/folder.ts'

const GOLD = readFileSync('test/fixtures/policies/gold.yaml', 'utf8')

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team}
spec:
  template:
    spec: {containers: [{name: c, image: nginx}]}
`
const HUNGRY = `apiVersion: v1
kind: Pod
metadata: {name: hungry, namespace: team, annotations: {iops-limit/read-iops: "5000"}}
spec: {containers: [{name: c, image: nginx}]}
`

const caseText = (...expect: readonly string[]): string => `# Why: the web tier.
apiVersion: test.iops-limit/v1
kind: ReviewTest
metadata: {name: web tier}
spec:
  policies: [../policies]
  namespaceLabels: {iops-limit/enforce: gold}
  resources: # what is deployed
  - web/
  expect:
${expect.map((line) => `  ${line}\n`).join('')}# the end
`

const RIGHT = caseText(
  '- {kind: Deployment, name: web, verdict: defaulted, limits: {c: {read-iops: "500", write-iops: "500"}}}',
  '- kind: Pod',
  '  name: hungry',
  '  verdict: refused',
)

const filesWith = (text: string): Readonly<Record<string, string>> => ({
  'policies/gold.yaml': GOLD,
  'cases/web.yaml': text,
  'cases/web/manifests.yaml': `${DEPLOYMENT}---\n${HUNGRY}`,
})

it('passes where all comes as expected; what an expectation leaves out may be anything', async () => {
  using folder = createFolder(filesWith(RIGHT))
  expect(await folder.run(['test', './cases'])).toEqual({
    code: 0,
    stdout: 'PASS web tier (./cases/web.yaml)\n1 case, 0 failed\n',
    stderr: '',
  })
})

const WRONG = caseText(
  '- {kind: Deployment, name: web, verdict: allowed}',
  '- {kind: Pod, name: gone, verdict: refused}',
)

it('fails with a diff: another verdict, a workload that nobody expected, one that is not there', async () => {
  using folder = createFolder(filesWith(WRONG))
  const { code, stdout, stderr } = await folder.run(['test', './cases'])
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
  expect(stdout).toBe(`FAIL web tier (./cases/web.yaml)
  Deployment team/web
    --- expected
    +++ found
    @@ -1,4 +1,4 @@
     kind: Deployment
     namespace: team
     name: web
    -verdict: allowed
    +verdict: defaulted
  Pod team/hungry
    --- expected
    +++ found
    @@ -0,0 +1,8 @@
    +kind: Pod
    +namespace: team
    +name: hungry
    +verdict: refused
    +policy: gold
    +rule: everything-else
    +violations:
    +- iops-limit/read-iops "5000" is above the max of 1000 for readIOPS; write 1000 or less
  Pod gone
    --- expected
    +++ found
    @@ -1,3 +0,0 @@
    -kind: Pod
    -name: gone
    -verdict: refused
1 case, 1 failed
`)
})

it('--output junit: a test for each workload', async () => {
  using folder = createFolder(filesWith(WRONG))
  const { code, stdout } = await folder.run(['test', '-o', 'junit', './cases'])
  expect(code).toBe(1)
  expect(stdout).toContain(
    '<testsuites name="iops-limit test" tests="3" failures="3" errors="0" skipped="0">',
  )
  expect(stdout).toContain('<testcase name="Deployment team/web" classname="web tier">')
  expect(stdout).toContain('-verdict: allowed&#10;+verdict: defaulted&#10;')
})

it('--update writes what came, and touches nothing else; then all is as expected', async () => {
  using folder = createFolder(filesWith(WRONG))
  const updated = await folder.run(['test', '--update', './cases'])
  expect(updated).toEqual({
    code: 0,
    stdout: 'UPDATED web tier (./cases/web.yaml)\n1 case, 0 failed\n',
    stderr: '',
  })
  expect(readFileSync(join(folder.path, 'cases/web.yaml'), 'utf8')).toBe(
    caseText(
      '- kind: Deployment',
      '  namespace: team',
      '  name: web',
      '  verdict: defaulted',
      '- kind: Pod',
      '  namespace: team',
      '  name: hungry',
      '  verdict: refused',
      '  policy: gold',
      '  rule: everything-else',
      '  violations:',
      '  - iops-limit/read-iops "5000" is above the max of 1000 for readIOPS; write 1000 or less',
    ),
  )
  expect((await folder.run(['test', './cases'])).code).toBe(0)
})

it('--update leaves alone what is right already', async () => {
  using folder = createFolder(filesWith(RIGHT))
  expect((await folder.run(['test', '--update', './cases'])).stdout).toContain('PASS web tier')
  expect(readFileSync(join(folder.path, 'cases/web.yaml'), 'utf8')).toBe(RIGHT)
})

it('--update on a case that expects nothing yet, and in a file of several cases', async () => {
  const first = RIGHT.slice(0, RIGHT.indexOf('  expect:'))
  using folder = createFolder(filesWith(`${first}---\n${RIGHT}`))
  expect((await folder.run(['test', '--update', './cases'])).stdout).toBe(
    'UPDATED web tier (./cases/web.yaml)\nPASS web tier (./cases/web.yaml)\n2 cases, 0 failed\n',
  )
  expect(await folder.run(['test', './cases'])).toMatchObject({ code: 0, stderr: '' })
  expect(readFileSync(join(folder.path, 'cases/web.yaml'), 'utf8')).toContain(`---\n${RIGHT}`)
})

it('--update of several cases in one file writes each', async () => {
  using folder = createFolder(filesWith(`${WRONG}---\n${WRONG}`))
  await folder.run(['test', '--update', './cases'])
  expect(await folder.run(['test', './cases'])).toMatchObject({ code: 0, stderr: '' })
})

it('--update says where a case leaves no place for it, and what cannot be written', async () => {
  const flow = `{apiVersion: test.iops-limit/v1, kind: ReviewTest, metadata: {name: braces}, spec: {resources: [web]}}\n`
  using folder = createFolder(
    filesWith(
      flow.replace(
        'spec: {',
        'spec: {policies: [../policies], namespaceLabels: {iops-limit/enforce: gold}, ',
      ),
    ),
  )
  const { code, stderr } = await folder.run(['test', '--update', './cases'])
  expect(code).toBe(2)
  expect(stderr).toBe(
    'iops-limit test: ./cases/web.yaml: spec cannot be updated; write it as a block, a key a line\n',
  )
})

it('tells the line of what is wrong with a case: exit code 2', async () => {
  const text = RIGHT.replace('resources: # what is deployed', 'resourcen:').replace(
    'verdict: refused',
    'verdikt: x',
  )
  using folder = createFolder(filesWith(text))
  const { code, stderr } = await folder.run(['test', './cases'])
  expect(code).toBe(2)
  expect(
    stderr,
  ).toBe(`iops-limit test: ./cases/web.yaml:8:3: spec.resourcen: is not a field here; remove it, or write one of policies, namespaces, namespaceLabels, namespace, podTemplatePaths, resources, expect
iops-limit test: ./cases/web.yaml:14:5: spec.expect[1].verdikt: "x" is not a field here; remove it, or write one of kind, namespace, name, verdict, policy, rule, reason, defaulted, violations, warnings, limits
iops-limit test: ./cases/web.yaml:5:1: spec.resources: is missing; name the manifests of the case
`)
})

it('a manifest that is not there: exit code 2', async () => {
  using folder = createFolder(filesWith(RIGHT.replace('- web/', '- gone.yaml')))
  const { code, stdout, stderr } = await folder.run(['test', './cases'])
  expect(code).toBe(2)
  expect(stderr).toBe('iops-limit test: ./cases/gone.yaml: there is no such file; name one that is there\n')
  expect(stdout).toContain('FAIL web tier (./cases/web.yaml)')
})

it('no case at all: exit code 3; no folder named: 2; --help: 0', async () => {
  using folder = createFolder({ 'cases/pod.yaml': HUNGRY })
  expect(await folder.run(['test', './cases'])).toEqual({
    code: 3,
    stdout: '0 cases, 0 failed\n',
    stderr: 'iops-limit test: there is no case; see docs/review.md\n',
  })
  expect(await folder.run(['test'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'iops-limit test: no directory of cases was named\nSee iops-limit test --help\n',
  })
  const help = await folder.run(['test', '--help'])
  expect(help.code).toBe(0)
  expect(help.stdout).toContain('Runs golden cases')
})
