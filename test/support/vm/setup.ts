/** Before the suites on a machine: images built from our Dockerfiles, the machine booted, the images imported, the chart installed. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { findBinary } from '../cluster/binaries.ts'
import { runToEnd } from '../cluster/daemon.ts'
import { type Address, type Machine, startMachine } from './vm.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly machine: Address
  }
}

/** The namespace of the release. */
const RELEASE = 'iops-limit'

/** IOPS_LIMIT_MACHINE: a file with the address of a machine that runs and has all of it; for whoever writes these suites. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { IOPS_LIMIT_MACHINE: running } = process.env
  if (running !== undefined) {
    project.provide('machine', JSON.parse(readFileSync(running, 'utf8')) as Address)
    return () => Promise.resolve()
  }
  const shared = mkdtempSync(join(tmpdir(), 'iops-limit-images-'))
  const began = performance.now()
  const tell = (what: string): void =>
    console.log(`machine: ${what} (at ${((performance.now() - began) / 1000).toFixed(0)} s)`)
  runTool('images.sh', shared)
  runTool('test-images.sh', shared)
  const disk = runTool('../vm/rootfs.sh').trim()
  tell('images and disk are made')
  const machine = await startMachine({ images: disk, shared })
  try {
    tell('the node is ready')
    await importImages(machine)
    tell('images are imported')
    await installChart(machine)
    tell('the chart is installed')
  } catch (error) {
    await machine[Symbol.asyncDispose]()
    throw error
  }
  project.provide('machine', machine.address)
  return async () => {
    await machine[Symbol.asyncDispose]()
    rmSync(shared, { recursive: true, force: true })
  }
}

/** Its output shows, save what it prints as its result. */
const runTool = (tool: string, ...args: readonly string[]): string =>
  execFileSync(`test/tools/${tool}`, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

async function importImages(machine: Machine): Promise<void> {
  const { code, stdout, stderr } = await machine.run(
    'for image in /host/*.tar; do ctr -n k8s.io images import "$image" || exit 1; done',
  )
  if (code !== 0) throw new Error(`images are not imported\n${stdout}${stderr}`)
}

async function installChart(machine: Machine): Promise<void> {
  const values = Object.entries({
    'webhook.image.repository': 'docker.io/library/iops-limit-webhook',
    'webhook.image.tag': 'test',
    'webhook.image.pullPolicy': 'Never',
    'enforcer.image.repository': 'docker.io/library/iops-limit-enforcer',
    'enforcer.image.tag': 'test',
    'enforcer.image.pullPolicy': 'Never',
  })
  const { code, stdout, stderr } = await runToEnd(findBinary('helm'), [
    ...['install', RELEASE, 'charts/iops-limit', '--namespace', RELEASE, '--create-namespace'],
    ...values.flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ...['--kubeconfig', machine.kubeconfig, '--wait', '--timeout', '5m'],
  ])
  if (code === 0) return
  const pods = await machine.kubectl(['describe', 'pods', '-n', RELEASE])
  const logs = await machine.kubectl([
    'logs',
    '-n',
    RELEASE,
    '--all-containers',
    '--prefix',
    '--tail=30',
    '-l',
    'app.kubernetes.io/name=iops-limit',
  ])
  throw new Error(
    `the chart is not installed\n${stdout}${stderr}\n${pods.stdout.slice(-6000)}\n${logs.stdout}`,
  )
}
