import { readFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { createBackfillMetrics } from '../../../webhook/server/backfillMetrics.ts'

it('moves every metric', async () => {
  const registry = new Registry()
  const { lease, backfill } = createBackfillMetrics(registry, () => new Date(100_000))
  const read = async (): Promise<readonly string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('iops_limit_backfill_'))
  expect((await read()).every((line) => line.endsWith(' 0'))).toBe(true)
  lease.leading()
  lease.failed(new Error('lost'))
  backfill.patched()
  backfill.patched()
  backfill.conflicted()
  backfill.told()
  backfill.failed(new Error('broke'))
  backfill.counted({ unlimited: 3, outOfBounds: 2, oldest: 40_000 })
  backfill.passed({ namespaces: 2, pods: 7, seconds: 1.5, isFull: true })
  backfill.passed({ namespaces: 1, pods: 4, seconds: 9, isFull: false })
  expect((await read()).toSorted()).toEqual([
    'iops_limit_backfill_conflicts_total 1',
    'iops_limit_backfill_errors_total 1',
    'iops_limit_backfill_events_total 1',
    'iops_limit_backfill_examined_pods_total 11',
    'iops_limit_backfill_last_full_pass_seconds 1.5',
    'iops_limit_backfill_last_full_pass_timestamp_seconds 100',
    'iops_limit_backfill_leader 1',
    'iops_limit_backfill_lease_errors_total 1',
    'iops_limit_backfill_out_of_bounds_pods 2',
    'iops_limit_backfill_patched_pods_total 2',
    'iops_limit_backfill_unlimited_pods 3',
    'iops_limit_backfill_unlimited_pods_oldest_seconds 60',
  ])
  lease.ended('it was asked to stop')
  backfill.counted({ unlimited: 0, outOfBounds: 0 })
  expect(await read()).toContain('iops_limit_backfill_leader 0')
  expect(await read()).toContain('iops_limit_backfill_unlimited_pods_oldest_seconds 0')
})

it('is documented, metric by metric', async () => {
  const registry = new Registry()
  createBackfillMetrics(registry, () => new Date(0))
  const rows = (await registry.getMetricsAsJSON()).map(
    ({ name, type, help }) => `| \`${name}\` | ${String(type)} | ${help} |`,
  )
  const page = readFileSync('docs/backfill.md', 'utf8')
  expect(page.split('\n').filter((line) => line.startsWith('| `iops_limit_'))).toEqual(rows)
})
