/** Before the suites on a machine: images built from our Dockerfiles, the machine booted, the images imported, the chart installed. */
import { readFileSync, rmSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { makeImages } from './images.ts'
import { startPrepared } from './prepared.ts'
import { importImages, installChart } from './release.ts'
import type { Address } from './vm.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly machine: Address
  }
}

/** IOPS_LIMIT_MACHINE: a file with the address of a machine that runs and has all of it; for whoever writes these suites. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { IOPS_LIMIT_MACHINE: running } = process.env
  if (running !== undefined) {
    project.provide('machine', JSON.parse(readFileSync(running, 'utf8')) as Address)
    return () => Promise.resolve()
  }
  const began = performance.now()
  const tell = (what: string): void =>
    console.log(`machine: ${what} (at ${((performance.now() - began) / 1000).toFixed(0)} s)`)
  const images = makeImages()
  tell('images and disk are made')
  const machine = await startPrepared(images, async (started) => {
    tell('the node is ready')
    await importImages(started)
    tell('images are imported')
    await installChart(started)
    tell('the chart is installed')
  })
  project.provide('machine', machine.address)
  return async () => {
    await machine[Symbol.asyncDispose]()
    rmSync(images.shared, { recursive: true, force: true })
  }
}
