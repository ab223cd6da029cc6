import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import type { NodePod } from '../../../webhook/advisor/pods.ts'
import { observeAdvisor } from '../../../webhook/server/advisorLog.ts'
import { createAdvisorMetrics } from '../../../webhook/server/advisorMetrics.ts'

const POD: NodePod = {
  ...{
    namespace: 'team',
    name: 'web',
    node: 'n1',
    uid: 'u',
    resourceVersion: '1',
    isRunning: true,
    since: 0,
  },
  info: { labels: {}, annotations: {}, containers: [], deleting: false },
}

const ACT = { kind: 'impose', mode: 'enforce', why: 'batch: busy', changes: { set: {}, remove: [] } } as const

function setUp() {
  const registry = new Registry()
  const lines: Readonly<Record<string, unknown>>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as (typeof lines)[number])
  const log = pino({ base: null, timestamp: false, formatters: { level: (level) => ({ level }) } }, { write })
  const observe = observeAdvisor(log, createAdvisorMetrics(registry))
  const read = async (): Promise<readonly string[]> =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith('iops_limit_webhook_advisor_') && !/_bucket/.test(line))
      .map((line) => line.replace('iops_limit_webhook_advisor_', ''))
      .toSorted()
  return { ...observe, lines, read, registry }
}

describe('the advisor', () => {
  it('moves every metric', async () => {
    const { lease, advisor, read } = setUp()
    lease.leading()
    lease.failed(new Error('lost'))
    advisor.counted(new Map([['gone', { watched: 9, adapted: 9 }]]))
    advisor.counted(new Map([['gold', { watched: 3, adapted: 1 }]]))
    advisor.advised(POD, ACT)
    advisor.wrote('written')
    advisor.refused(POD, 'not so')
    advisor.failed(new Error('broke'))
    advisor.asked('n1', { outcome: 'answered', rows: [] })
    advisor.asked('n2', { outcome: 'absent' })
    advisor.turned(2)
    expect(await read()).toEqual([
      'adapted_pods{policy="gold"} 1',
      'advices_total{kind="impose",mode="enforce"} 1',
      'errors_total 1',
      'leader 1',
      'lease_errors_total 1',
      'nodes_total{outcome="absent"} 1',
      'nodes_total{outcome="answered"} 1',
      'turn_duration_seconds_count 1',
      'turn_duration_seconds_sum 2',
      'watched_pods{policy="gold"} 3',
      'writes_total{outcome="written"} 1',
    ])
    lease.ended('it was asked to stop')
    expect(await read()).toContain('leader 0')
  })

  it('tells the log', () => {
    const { lease, advisor, lines } = setUp()
    lease.leading()
    lease.ended('it was asked to stop')
    lease.failed(new Error('away'))
    advisor.advised(POD, ACT)
    advisor.refused(POD, 'not so')
    advisor.failed(new Error('broke'))
    const pod = { namespace: 'team', name: 'web', node: 'n1' }
    expect(lines).toEqual([
      { level: 'info', msg: 'advisor: leading' },
      { level: 'info', why: 'it was asked to stop', msg: 'advisor: no longer leading' },
      { level: 'warn', reason: 'away', msg: 'advisor: lease failed, trying again' },
      { level: 'info', ...pod, kind: 'impose', mode: 'enforce', why: 'batch: busy', msg: 'advisor: advice' },
      { level: 'warn', ...pod, reason: 'not so', msg: 'advisor: a write was refused, trying again later' },
      { level: 'warn', reason: 'broke', msg: 'advisor: something failed, trying again later' },
    ])
  })

  it('tells of nodes that say nothing when that begins and when it ends, not each turn', () => {
    const { advisor, lines } = setUp()
    for (let turn = 0; turn < 3; turn++) {
      advisor.asked('n1', { outcome: 'late', reason: 'no whole answer within 8000 ms' })
      advisor.asked('n2', { outcome: 'absent' })
      advisor.turned(1)
    }
    for (let turn = 0; turn < 2; turn++) {
      advisor.asked('n1', { outcome: 'answered', rows: [] })
      advisor.turned(1)
    }
    expect(lines).toEqual([
      {
        ...{ level: 'warn', node: 'n1', outcome: 'late', reason: 'no whole answer within 8000 ms', nodes: 2 },
        msg: 'advisor: nodes do not tell their usage',
      },
      { level: 'info', msg: 'advisor: every node tells its usage again' },
    ])
  })

  it('is documented, metric by metric', () => {
    const { registry } = setUp()
    const rows = registry.getMetricsAsArray().map((metric) => {
      const labels = (Reflect.get(metric, 'labelNames') as readonly string[]).map((label) => `\`${label}\``)
      return `| \`${metric.name}\` | ${String(metric.type)} | ${labels.join(', ')} | ${metric.help} |`
    })
    const page = readFileSync('docs/adaptive.md', 'utf8')
    expect(page.split('\n').filter((line) => line.startsWith('| `iops_limit_webhook_advisor_'))).toEqual(rows)
  })
})
