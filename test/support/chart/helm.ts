/** The chart through real helm. */
import { parseAllDocuments } from 'yaml'
import { findBinary } from '../cluster/binaries.ts'
import { runToEnd, type Text } from '../cluster/daemon.ts'

export const CHART = 'charts/iops-limit'
export const RELEASE = 'iops-limit'

/** To its end, whatever its exit code. */
export const helm = (...args: readonly string[]): Promise<Text> => runToEnd(findBinary('helm'), args)

/** `helm template` as text; throws what helm says. */
export async function renderChart(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await helm('template', RELEASE, CHART, '--namespace', RELEASE, ...args)
  if (code !== 0) throw new Error(stderr)
  return stdout
}

/** The objects of a rendered text. */
export const objectsOf = (text: string): readonly object[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as unknown)
    .filter((value) => typeof value === 'object' && value !== null)
