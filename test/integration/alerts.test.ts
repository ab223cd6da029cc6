/** The alert rules of the chart: by Prometheus's own tool, and each metric in them is one that the programs have. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createMetrics as createEnforcerMetrics } from '../../enforcer/seen/metrics.ts'
import { createBackfillMetrics } from '../../webhook/server/backfillMetrics.ts'
import { createKeeperMetrics } from '../../webhook/server/keeperMetrics.ts'
import { createMetrics } from '../../webhook/server/metrics.ts'
import { createFolder } from '../support/cli/folder.ts'
import { requirement } from '../support/requirement.ts'

const RULES = resolve('charts/iops-limit/files/alerts.yaml')
const run = promisify(execFile)

const promtool = await run('promtool', ['--version']).then(
  () => undefined,
  () => 'there is no promtool (Debian: prometheus)',
)

interface Case {
  readonly alert: string
  readonly series: string
  /** In Prometheus's notation, a value a minute. */
  readonly values: string
  /** Whether it fires after so many minutes. */
  readonly fires: Readonly<Record<number, boolean>>
}

const DAY = 86_400
const CASES: readonly Case[] = [
  {
    alert: 'IopsLimitWebhookAbsent',
    series: 'iops_limit_webhook_policies{instance="w"}',
    values: '1x10 stale',
    fires: { 9: false, 13: false, 18: true },
  },
  {
    alert: 'IopsLimitFailedOpen',
    series: 'iops_limit_webhook_failed_open_total{instance="w"}',
    values: '0x5 1x30',
    fires: { 5: false, 8: true, 25: false },
  },
  {
    alert: 'IopsLimitPolicyRefused',
    series: 'iops_limit_webhook_refused_policies{instance="w"}',
    values: '0x5 1x20',
    fires: { 5: false, 12: false, 18: true },
  },
  {
    alert: 'IopsLimitCacheOld',
    series: 'iops_limit_webhook_cache_age_seconds{instance="w",cache="policies"}',
    values: '20x5 400x20',
    fires: { 5: false, 8: false, 13: true },
  },
  {
    alert: 'IopsLimitCertificateEnding',
    series: 'iops_limit_webhook_certificate_expiry_timestamp_seconds{instance="w"}',
    values: `${3 * DAY}x1700`,
    fires: { 600: false, 1480: false, 1510: true },
  },
  {
    alert: 'IopsLimitAuthorityEnding',
    series: 'iops_limit_webhook_ca_expiry_timestamp_seconds{instance="w"}',
    values: `${8 * DAY}x1700`,
    fires: { 600: false, 1480: false, 1510: true },
  },
  {
    alert: 'IopsLimitPodsUnlimited',
    series: 'iops_limit_backfill_unlimited_pods_oldest_seconds{instance="w"}',
    values: '0x5 310+60x20',
    fires: { 5: false, 8: false, 13: true },
  },
  {
    alert: 'IopsLimitBackfillWithoutLeader',
    series: 'iops_limit_backfill_leader{instance="w"}',
    values: '1x5 0x20',
    fires: { 5: false, 12: false, 18: true },
  },
  {
    alert: 'IopsLimitPodsFailing',
    series: 'iops_limit_enforcer_pods{instance="n",state="failing"}',
    values: '0x5 2x20',
    fires: { 5: false, 12: false, 18: true },
  },
  {
    alert: 'IopsLimitEnforcerErrors',
    series: 'iops_limit_enforcer_errors_total{instance="n",cause="EROFS"}',
    values: '0x5 1+1x40',
    fires: { 5: false, 15: false, 25: true },
  },
  {
    alert: 'IopsLimitPodsUnknown',
    series: 'iops_limit_enforcer_pods_age_seconds{instance="n"}',
    values: '10x5 301+60x20',
    fires: { 5: false, 12: false, 18: true },
  },
  {
    alert: 'IopsLimitDrift',
    series: 'iops_limit_enforcer_drift_total{instance="n"}',
    values: '0x60 0+1x60',
    fires: { 60: false, 66: false, 80: true },
  },
]

/** Whether each fires when it is to, by `count(ALERTS)`, whatever its labels and words are. */
const formatCase = ({ alert, series, values, fires }: Case): object => ({
  interval: '1m',
  input_series: [{ series, values }],
  promql_expr_test: Object.entries(fires).map(([minute, isFiring]) => ({
    expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
    eval_time: `${minute}m`,
    exp_samples: [{ labels: '{}', value: isFiring ? 1 : 0 }],
  })),
})

describe.runIf(requirement('alert rules by promtool', promtool))('promtool', () => {
  it('takes the rules', async () => {
    expect((await run('promtool', ['check', 'rules', RULES])).stdout).toContain(
      `SUCCESS: ${CASES.length} rules found`,
    )
  })

  it('sees every alert fire when it is to, and not before', async () => {
    using folder = createFolder()
    const file = join(folder.path, 'tests.yaml')
    writeFileSync(
      file,
      JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests: CASES.map(formatCase) }),
    )
    const { stdout, stderr } = await run('promtool', ['test', 'rules', file])
    expect(stdout + stderr).toContain('SUCCESS')
  })
})

it('asks for metrics that the programs have', () => {
  const registry = new Registry()
  createKeeperMetrics(registry)
  createBackfillMetrics(registry, () => new Date())
  const zero = (): number => 0
  const webhook = createMetrics({
    ...{ requests: zero, bufferedBytes: zero, policies: () => [], refusedPolicies: zero, namespaces: zero },
    ...{ certificateExpiry: zero, ages: () => ({}) },
  })
  const enforcer = [
    ...createEnforcerMetrics({
      ...{ place: () => undefined, records: () => new Map(), source: () => undefined, age: () => 0 },
      ...{ watched: zero, usage: () => ({ count: zero }), memory: zero, processor: zero },
    }).format(),
  ].join('')
  const known = new Set([
    ...[registry, webhook.registry].flatMap((one) => one.getMetricsAsArray().map(({ name }) => name)),
    ...[...enforcer.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
  ])
  const asked = new Set(readFileSync(RULES, 'utf8').match(/\biops_limit_[a-z_]+/g))
  expect(asked.size).toBeGreaterThan(10)
  expect([...asked].filter((name) => !known.has(name))).toEqual([])
})
