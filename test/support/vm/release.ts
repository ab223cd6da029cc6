/** The product on a machine: its images, and its chart by helm. */
import { findBinary } from '../cluster/binaries.ts'
import { runToEnd } from '../cluster/daemon.ts'
import { type Access, readConsole } from './vm.ts'

/** The release's name and namespace. */
export const RELEASE = 'iops-limit'

/** Of the folder that the machine shares. */
export async function importImages(machine: Access): Promise<void> {
  const { code, stdout, stderr } = await machine.run(
    'for image in /host/*.tar; do ctr -n k8s.io images import "$image" || exit 1; done',
  )
  if (code !== 0) throw new Error(`images are not imported\n${stdout}${stderr}`)
}

/** Passes come oftener than by the chart's default: most of these tests wait for one. */
const VALUES = {
  'webhook.image.repository': 'docker.io/library/iops-limit-webhook',
  'webhook.image.tag': 'test',
  'webhook.image.pullPolicy': 'Never',
  'enforcer.image.repository': 'docker.io/library/iops-limit-enforcer',
  'enforcer.image.tag': 'test',
  'enforcer.image.pullPolicy': 'Never',
  'enforcer.checkInterval': '10s',
}

/** Resolves once all its pods are gone. */
export async function uninstallChart({ kubeconfig }: Access): Promise<void> {
  const flags = ['--namespace', RELEASE, '--kubeconfig', kubeconfig, '--wait', '--timeout', '5m']
  const { code, stdout, stderr } = await runToEnd(findBinary('helm'), ['uninstall', RELEASE, ...flags])
  if (code !== 0) throw new Error(`the chart is not uninstalled\n${stdout}${stderr}`)
}

type Values = Readonly<Record<string, string>>

export const installChart = (machine: Access, more: Values = {}): Promise<void> =>
  runChart(machine, ['install', '--create-namespace'], more)

/** With these values and no others: what an upgrade before it set is as the chart has it. */
export const upgradeChart = (machine: Access, more: Values = {}): Promise<void> =>
  runChart(machine, ['upgrade', '--reset-values'], more)

/** Resolves once everything of it is ready; throws with what its pods say otherwise. */
async function runChart(machine: Access, command: readonly string[], more: Values): Promise<void> {
  const { code, stdout, stderr } = await runToEnd(findBinary('helm'), [
    ...[...command, RELEASE, 'charts/iops-limit', '--namespace', RELEASE],
    ...Object.entries({ ...VALUES, ...more }).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ...['--kubeconfig', machine.kubeconfig, '--wait', '--timeout', '8m'],
  ])
  if (code === 0) return
  const pods = await machine.kubectl(['describe', 'pods', '-n', RELEASE])
  const selector = ['-l', 'app.kubernetes.io/name=iops-limit']
  const logs = await machine.kubectl([
    ...['logs', '-n', RELEASE, '--all-containers', '--prefix', '--tail=30', ...selector],
  ])
  const said = [
    stdout,
    stderr,
    pods.stdout.slice(-6000),
    pods.stderr,
    logs.stdout,
    await readConsole(machine),
  ]
  throw new Error(`the chart does not ${command[0] ?? ''}\n${said.join('\n')}`)
}
