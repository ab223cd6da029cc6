import { execFileSync } from 'node:child_process'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { registerProcessMetrics } from '../../../webhook/server/processMetrics.ts'

const urlOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)

/** Does nothing for a second, and prints how often it was woken meanwhile. */
const SLEEPER = `
  const { Registry } = await import(${urlOf('../../../node_modules/prom-client/index.js')})
  const { registerProcessMetrics } = await import(${urlOf('../../../webhook/server/processMetrics.ts')})
  const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
  registerProcessMetrics(new Registry())
  await sleep(1000)
  const { voluntaryContextSwitches } = process.resourceUsage()
  await sleep(1000)
  console.log(process.resourceUsage().voluntaryContextSwitches - voluntaryContextSwitches)`

describe('registerProcessMetrics', () => {
  it('wakes nobody who has nothing to do', () => {
    const woken = execFileSync(process.execPath, ['--input-type=module', '-e', SLEEPER], { encoding: 'utf8' })
    expect(Number(woken)).toBeGreaterThan(0)
    expect(Number(woken)).toBeLessThan(50)
  })

  it('tells of the event loop what costs nothing, and of the rest what prom-client does', async () => {
    const registry = new Registry()
    registerProcessMetrics(registry)
    const names = registry.getMetricsAsArray().map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds']),
    )
    expect(names.filter((name) => /lag_.+_seconds/.test(name))).toEqual([])
    const timeOf = async (): Promise<number> => {
      const metric = await registry.getSingleMetric('nodejs_eventloop_time_seconds_total')?.get()
      expect(metric?.values.map(({ labels }) => labels)).toEqual([
        { nodejs_eventloop_state: 'active' },
        { nodejs_eventloop_state: 'idle' },
      ])
      return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0)
    }
    const before = await timeOf()
    const began = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const passed = (performance.now() - began) / 1000
    // Active or idle, it is one or the other; the count is brought up to date once a turn.
    expect((await timeOf()) - before).toBeGreaterThan(passed / 2)
    expect((await timeOf()) - before).toBeLessThan(passed * 2)
  })
})
