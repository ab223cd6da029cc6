import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until the question is answered with true; throws where that takes longer than so many milliseconds. */
export async function until(isSo: () => boolean | Promise<boolean>, milliseconds = 30_000): Promise<void> {
  const end = performance.now() + milliseconds
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not so within ${milliseconds} ms: ${isSo.toString()}`)
    await sleep(10)
  }
}
