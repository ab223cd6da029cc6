import type { Client } from './client.ts'

/** The value of a sample by its name and labels as Prometheus prints them; 0 where it is not there. */
export async function readMetric(client: Client, sample: string): Promise<number> {
  const { body } = await client.send({ path: '/metrics' })
  const line = body.split('\n').find((text) => text.startsWith(`${sample} `))
  return line === undefined ? 0 : Number(line.slice(sample.length + 1))
}
