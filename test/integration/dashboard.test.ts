/** The chart's dashboard: as a file, and every query of it and every alert rule by a real Prometheus that scrapes the real programs. */
import { readFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAdvisorMetrics } from '../../webhook/server/advisorMetrics.ts'
import { createKeeperMetrics } from '../../webhook/server/keeperMetrics.ts'
import {
  EVERYTHING,
  fillIn,
  findMetrics,
  type Panel,
  type Query,
  readDashboard,
} from '../support/prometheus/dashboard.ts'
import { type Scene, startScene } from '../support/prometheus/scene.ts'
import {
  findPrometheusObstacle,
  type Prometheus,
  RULES,
  startPrometheus,
} from '../support/prometheus/server.ts'
import { requirement } from '../support/requirement.ts'

const dashboard = readDashboard()
const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const queriesOf = ({ targets = [] }: Panel): readonly Query[] => targets
const exprs = panels.flatMap((panel) => queriesOf(panel).map(({ expr }) => ({ title: panel.title, expr })))
const named = findMetrics(exprs.map(({ expr }) => expr).join('\n') + readFileSync(RULES, 'utf8'))

/** Registered by the program only once it has what a cluster gives. */
function findClusterOnly(): readonly string[] {
  const registry = new Registry()
  // Of a certificate that looks after itself: it needs a Secret.
  createKeeperMetrics(registry)
  // Of the advisor: it asks the cluster's enforcers.
  createAdvisorMetrics(registry)
  return registry.getMetricsAsArray().map(({ name }) => name)
}
const clusterOnly = findClusterOnly()
/** It has no value before the API server was first heard of. */
const AGE = 'iops_limit_webhook_cache_age_seconds'

describe('the file', () => {
  it('stays what Grafana 10.3 and later read', () => {
    expect(dashboard).toMatchObject({ uid: 'iops-limit', schemaVersion: 39 })
  })

  it('has each panel once, where no other is', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([])
  })

  it('says of each panel what it shows and in which unit, from the chosen data source', () => {
    expect(panels.length).toBeGreaterThan(20)
    for (const panel of panels) {
      expect(panel.description, panel.title).toMatch(/^[A-Z].{30,}\.$/)
      expect(panel.fieldConfig?.defaults.unit, panel.title).toMatch(/^\w+$/)
      expect(queriesOf(panel).length, panel.title).toBeGreaterThan(0)
      for (const { datasource } of queriesOf(panel))
        expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' })
    }
  })

  it('asks for data source, node, namespace, pod and policy, and uses each', () => {
    const { list } = dashboard.templating
    expect(list.map(({ name }) => name)).toEqual(['datasource', 'node', 'namespace', 'pod', 'policy'])
    const used = new Set(exprs.flatMap(({ expr }) => expr.match(/(?<=\$)[a-z_]+/g) ?? []))
    expect([...used].toSorted()).toEqual(['__range', '__rate_interval', 'namespace', 'node', 'pod', 'policy'])
    for (const { label, description } of list) expect(`${label}: ${description}`).toMatch(/^\w.+: \w/)
  })

  it('and the alerts are all in the documentation', () => {
    const page = readFileSync('docs/observability.md', 'utf8')
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)
    expect([...page.matchAll(/^\| ([A-Z].+?) \| .+\|$/gm)].map(([, title]) => title)).toEqual(rows)
    const alerts = [...readFileSync(RULES, 'utf8').matchAll(/^ +- alert: (\w+)$/gm)].map(([, name]) => name)
    expect(page.match(/(?<=`)IopsLimit\w+(?=`)/g)).toEqual(alerts)
  })

  it('shows what it was made for: each kind has its panel', () => {
    const titles = panels.map(({ title }) => title)
    expect(titles).toEqual(
      expect.arrayContaining([
        'Operations: share of the limit in use',
        'Top talkers: operations',
        'Throttled pods by IO pressure',
        'Refusals by policy',
        'Life left of the certificates',
        'Errors',
      ]),
    )
  })
})

const canRun = requirement('dashboard and alert rules by Prometheus', findPrometheusObstacle())

describe.runIf(canRun)('a Prometheus that scrapes both programs', () => {
  const scope = new AsyncDisposableStack()
  let scene: Scene
  let prometheus: Prometheus

  beforeAll(async () => {
    scene = scope.use(await startScene())
    prometheus = scope.use(await startPrometheus(scene.targets))
  })

  afterAll(() => scope.disposeAsync())

  /** Titles and queries that have no answer now; rejects where one cannot be parsed or evaluated. */
  async function findEmpty(): Promise<readonly string[]> {
    const answers = await Promise.all(
      exprs.map(async ({ title, expr }) => ({
        title,
        expr,
        samples: await prometheus.query(fillIn(expr, EVERYTHING)),
      })),
    )
    return answers.filter(({ samples }) => samples.length === 0).map(({ title, expr }) => `${title}: ${expr}`)
  }

  it('reaches every one of them', async () => {
    await expect
      .poll(() => prometheus.targets())
      .toEqual(Array(3).fill(expect.objectContaining({ health: 'up', lastError: '' })))
  })

  it('evaluates every alert rule', async () => {
    const evaluate = async () => (await prometheus.rules()).filter(({ health }) => health !== 'unknown')
    const count = readFileSync(RULES, 'utf8').match(/^ +- alert: /gm)?.length
    await expect.poll(async () => (await evaluate()).length).toBe(count)
    expect((await evaluate()).filter(({ health, lastError }) => health !== 'ok' || lastError)).toEqual([])
  })

  it('sees an alert begin: the pod whose limit cannot be written, the pods let through', async () => {
    const statesOf = async () => new Map((await prometheus.rules()).map(({ name, state }) => [name, state]))
    await expect.poll(async () => (await statesOf()).get('IopsLimitPodsFailing')).toBe('pending')
    await expect.poll(async () => (await statesOf()).get('IopsLimitFailedOpen')).toBe('firing')
    expect((await statesOf()).get('IopsLimitWebhookAbsent')).toBe('inactive')
  })

  it('answers every query of every panel, with data but where that needs a cluster', async () => {
    const inCluster = exprs
      .filter(({ expr }) => findMetrics(expr).some((name) => [...clusterOnly, AGE].includes(name)))
      .map(({ title, expr }) => `${title}: ${expr}`)
    expect(inCluster.length).toBeLessThan(exprs.length / 5)
    await expect.poll(findEmpty, { interval: 1000, timeout: 45_000 }).toEqual(inCluster)
  })

  it('offers values for every variable', async () => {
    for (const { name, query } of dashboard.templating.list) {
      if (typeof query === 'string') continue
      const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query.query) ?? []
      const ask = () => prometheus.query(`group by (${label}) (${fillIn(selector, EVERYTHING)})`)
      await expect.poll(async () => (await ask()).length, { message: name }).toBeGreaterThan(0)
      expect((await ask()).filter(({ labels }) => (labels[label] ?? '') === '')).toEqual([])
    }
  })

  it('has the pods of the limits, not the one that tells of them', async () => {
    const ask = () => prometheus.query('group by (namespace, pod, container) (iops_limit_enforcer_limit)')
    await expect
      .poll(async () => (await ask()).map(({ labels }) => labels))
      .toEqual(expect.arrayContaining([{ namespace: 'default', pod: 'db' }]))
    expect(JSON.stringify(await ask())).not.toContain('enforcer')
  })

  it('tells the share of the limit in use, and who waits', async () => {
    const ask = async (title: string) => {
      const expr = exprs.find((one) => one.title === title)?.expr ?? ''
      const samples = await prometheus.query(fillIn(expr, EVERYTHING))
      return samples.map(({ labels: { pod, direction }, value }) => ({ pod, direction, value }))
    }
    const near = (value: number): unknown => expect.closeTo(value, 1) as unknown
    // 300 reads and 475 writes of 500 each; 300 reads of 300.
    await expect
      .poll(() => ask('Operations: share of the limit in use'), { timeout: 45_000 })
      .toEqual(
        expect.arrayContaining([
          { pod: 'db', direction: 'read', value: near(0.6) },
          { pod: 'db', direction: 'write', value: near(0.95) },
          { pod: 'batch', direction: 'read', value: near(1) },
        ]),
      )
    // 775 each: a pod's own cgroup counts what its containers do, and nothing is counted twice.
    const talkers = await ask('Top talkers: operations')
    const once = expect.closeTo(1, 0) as unknown
    expect(talkers.map(({ pod, value }) => [pod, value / 775]).toSorted()).toEqual([
      ['batch', once],
      ['db', once],
    ])
    expect(await ask('Throttled pods by IO pressure')).toEqual(
      expect.arrayContaining([{ pod: 'db', direction: undefined, value: near(0.8) }]),
    )
  })

  it('counts refusals by the policy that decided', async () => {
    const ask = () =>
      prometheus.query('sum by (policy) (increase(iops_limit_webhook_refusals_total[1m])) > 0')
    await expect
      .poll(async () => (await ask()).map(({ labels }) => labels), { timeout: 45_000 })
      .toEqual([{ policy: 'gold' }])
  })

  it('knows every metric that dashboard and alerts name, but those of a cluster', async () => {
    expect(named.length).toBeGreaterThan(30)
    const pages = await Promise.all(scene.targets.map(async ({ url }) => (await fetch(url)).text()))
    const exposed = new Set(
      pages.flatMap((page) => [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)),
    )
    expect(exposed).toContain(AGE)
    expect(named.filter((name) => !exposed.has(name) && !clusterOnly.includes(name))).toEqual([])
  })
})
