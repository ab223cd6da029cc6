/** A node whose cgroups are real ones of v1, on a loop device; needs root: findObstacle of test/support/kernel says what is missing. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import path from 'node:path'
import { createLoopDisk, createPodGroups } from '../../test/support/kernel/kernel.ts'
import { type BusyNode, CONTAINERS, createAnswers, idOf, uidOf } from './node.ts'

export function createV1Node(pods: number): BusyNode {
  using made = new DisposableStack()
  const disk = made.use(createLoopDisk())
  const groups = made.use(createPodGroups([]))
  const answers = createAnswers()
  let numbers: readonly number[] = []
  let created = 0
  const containerOf = (index: number, container: number): string =>
    groups.container(uidOf(index), idOf(index, container))
  const isHeld = (folder: string, iops: number): boolean =>
    readFileSync(path.join(folder, 'blkio.throttle.read_iops_device'), 'utf8').includes(
      `${disk.device} ${iops}\n`,
    )
  const add = (): void => {
    numbers = [...numbers, created]
    answers.put(numbers)
    for (let container = 0; container <= CONTAINERS.length; container += 1)
      mkdirSync(containerOf(created, container), { recursive: true })
    created += 1
  }
  const drop = (): void => {
    const [oldest = 0, ...others] = numbers
    numbers = others
    for (let container = 0; container <= CONTAINERS.length; container += 1)
      rmdirSync(containerOf(oldest, container))
    rmdirSync(path.dirname(containerOf(oldest, 0)))
  }
  for (let index = 0; index < pods; index += 1) add()
  const kept = made.move()
  return {
    env: { DATA_MOUNT: disk.mount },
    replaceOldest: () => {
      drop()
      add()
    },
    ...{ answer: answers.answer, limit: answers.limit },
    holds: (which, iops) =>
      isHeld(containerOf(which === 'newest' ? created - 1 : (numbers[0] ?? 0), 1), iops),
    newest: {
      expectContainer: () => answers.expect(created - 1),
      addContainer: () => {
        const folder = groups.container(uidOf(created - 1), randomBytes(32).toString('hex'))
        mkdirSync(folder)
        return { holds: (iops) => isHeld(folder, iops), remove: () => rmdirSync(folder) }
      },
    },
    dispose: () => kept.dispose(),
  }
}
