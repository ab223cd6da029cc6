import { readFile } from 'node:fs/promises'
import { messageOf } from '../../contract/problem.ts'
import { parsePodList } from '../core/pods.ts'
import { CannotRun, type PodSource } from './source.ts'

/** A file that holds what the kubelet's `/pods` answers. */
export const createFileSource = (file: string): PodSource => ({
  name: 'file',
  read: async () => {
    const list = parsePodList(await readJson(file))
    if (list.ok) return list.value
    throw new CannotRun(list.problems)
  },
})

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new CannotRun([
      {
        field: `--pods-file ${file}`,
        reason: `cannot be read: ${messageOf(error)}`,
        cure: "give a file that holds the kubelet's answer to /pods as JSON",
      },
    ])
  }
}
