/**
 * A machine with a real kernel, an NVMe disk and a whole single-node cluster on it, emulated by qemu; test/vm/rootfs.sh
 * makes its disk. What it writes to that disk is forgotten when it stops.
 */
import { execFileSync } from 'node:child_process'
import { truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findBinary } from '../cluster/binaries.ts'
import { type Daemon, findFreePort, runToEnd, startDaemon, type Text } from '../cluster/daemon.ts'

/** What reaches a machine that runs. */
export interface Address {
  readonly kubeconfig: string
  /** A port of 127.0.0.1. */
  readonly ssh: number
  /** The file of the private key. */
  readonly key: string
}

export interface Access {
  /** For kubectl, helm and our own programs on this side. */
  readonly kubeconfig: string
  /** Runs a command line in the machine's shell as root, to its end. */
  readonly run: (command: string) => Promise<Text>
  readonly kubectl: (args: readonly string[], stdin?: string) => Promise<Text>
}

export interface Machine extends Access, AsyncDisposable {
  readonly address: Address
}

export interface MachineOptions {
  /** The folder that test/vm/rootfs.sh prints. */
  readonly images: string
  /** The folder of this side that the machine sees, read-only, as /host. */
  readonly shared: string
  /** Further words of the kernel's command line. */
  readonly kernel?: string
}

const NVME_BYTES = 2 * 2 ** 30
const PARTITION_START = 2 ** 20

/** Resolves once the node is Ready. */
export async function startMachine({ images, shared, kernel = '' }: MachineOptions): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'iops-limit-vm-'))
  const disk = join(folder, 'nvme.img')
  createDisk(disk)
  const [ssh, api] = [await findFreePort(), await findFreePort()]
  const kubeconfig = join(folder, 'kubeconfig')
  const template = await readFile(join(images, 'kubeconfig'), 'utf8')
  writeFileSync(kubeconfig, template.replace('127.0.0.1:6443', `127.0.0.1:${api}`), { mode: 0o600 })
  const qemu = startDaemon(findBinary('qemu-system-x86_64'), [
    ...machineFlags(images, disk, kernel),
    ...['-netdev', `user,id=net,hostfwd=tcp:127.0.0.1:${ssh}-:22,hostfwd=tcp:127.0.0.1:${api}-:6443`],
    ...['-device', 'virtio-net-pci,netdev=net'],
    ...['-virtfs', `local,path=${shared},mount_tag=host,security_model=none,readonly=on`],
    ...['-serial', `file:${join(folder, CONSOLE)}`],
  ])
  const address = { kubeconfig, ssh, key: join(images, 'id') }
  const access = createAccess(address)
  await untilReady(qemu, access)
  return {
    ...access,
    address,
    async [Symbol.asyncDispose]() {
      // The disk is forgotten anyway, so that nothing is lost by pulling the plug.
      await qemu.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const CONSOLE = 'console.log'

/** What the machine's kernel said last, also of a machine that says nothing else any more. */
export async function readConsole({ kubeconfig }: Pick<Access, 'kubeconfig'>): Promise<string> {
  const text = await readFile(join(dirname(kubeconfig), CONSOLE), 'utf8').catch(() => '')
  return text.slice(-4000)
}

/** A disk with one partition that holds an ext4 filesystem, as a cloud's local NVMe disk is set up. */
function createDisk(file: string): void {
  writeFileSync(file, '')
  truncateSync(file, NVME_BYTES)
  execFileSync('sfdisk', ['--quiet', file], { input: 'label: gpt\nstart=1MiB, type=linux\n' })
  const kibibytes = String((NVME_BYTES - 2 * PARTITION_START) / 1024)
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-E', `offset=${PARTITION_START}`, file, `${kibibytes}k`])
}

const machineFlags = (images: string, disk: string, kernel: string): readonly string[] => [
  ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '6G'],
  ...['-display', 'none', '-monitor', 'none', '-no-reboot'],
  ...['-kernel', join(images, 'vmlinuz'), '-initrd', join(images, 'initrd.img')],
  ...['-append', `root=/dev/vda rw console=ttyS0 quiet net.ifnames=1 ${kernel}`.trim()],
  ...['-drive', `file=${join(images, 'disk.img')},if=virtio,format=raw,snapshot=on,cache=unsafe`],
  ...['-drive', `file=${disk},if=none,id=nvme,format=raw,cache=unsafe`],
  ...['-device', 'nvme,drive=nvme,serial=test'],
]

export function createAccess({ kubeconfig, ssh, key }: Address): Access {
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    'ConnectTimeout=30',
  ]
  return {
    kubeconfig,
    run: (command) =>
      runToEnd('ssh', [
        ...options.flatMap((option) => ['-o', option]),
        ...['-i', key, '-p', String(ssh), 'root@127.0.0.1', command],
      ]),
    kubectl: (args, stdin) => runToEnd(findBinary('kubectl'), ['--kubeconfig', kubeconfig, ...args], stdin),
  }
}

const LONGEST_BOOT = 600_000

async function untilReady(qemu: Daemon, access: Access): Promise<void> {
  const { run, kubectl } = access
  const isReady = async (): Promise<boolean> => {
    const { stdout } = await kubectl([
      'get',
      'node',
      'node',
      '-o',
      'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
      '--request-timeout=5s',
    ])
    return stdout === 'True'
  }
  try {
    await qemu.until(isReady, LONGEST_BOOT)
  } catch (error) {
    const journal = await run('journalctl -b -p warning --no-pager | tail -n 40')
    throw new Error(`the machine does not come up\n${journal.stdout}\n${await readConsole(access)}`, {
      cause: error,
    })
  }
}
