/** Images built from our Dockerfiles, and the disk of a machine to run them on. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import type { MachineOptions } from './vm.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** What machines are started from. */
    readonly images: MachineOptions
  }
}

/** Before the suites that start machines of their own. IOPS_LIMIT_IMAGES: a folder that has the images already. */
export default function setup(project: TestProject): () => void {
  const { IOPS_LIMIT_IMAGES: made } = process.env
  if (made !== undefined) {
    project.provide('images', { images: makeDisk(), shared: made })
    return () => undefined
  }
  const images = makeImages()
  project.provide('images', images)
  return () => rmSync(images.shared, { recursive: true, force: true })
}

/** The folder of the images is the caller's to remove. */
export function makeImages(): MachineOptions {
  const shared = mkdtempSync(join(tmpdir(), 'iops-limit-images-'))
  runTool('images.sh', shared)
  runTool('test-images.sh', shared)
  return { images: makeDisk(), shared }
}

const makeDisk = (): string => runTool('../vm/rootfs.sh').trim()

/** Its output shows, save what it prints as its result. */
const runTool = (tool: string, ...args: readonly string[]): string =>
  execFileSync(`test/tools/${tool}`, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
