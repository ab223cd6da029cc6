/** A real Prometheus (Debian: prometheus) as a process of this machine, its data in a folder that ends with it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findFreePort, startDaemon } from '../cluster/daemon.ts'
import { createPrometheusClient, type PrometheusClient } from './client.ts'

/** The alert rules of the chart. */
export const RULES = resolve('charts/iops-limit/files/alerts.yaml')

export interface Target {
  /** `http://HOST:PORT/metrics`, whatever the path. */
  readonly url: string
  /** On everything that is scraped there; what is scraped has the last word, as with the chart's monitors. */
  readonly labels: Readonly<Record<string, string>>
}

export interface Prometheus extends PrometheusClient, AsyncDisposable {
  readonly origin: string
}

/** Why there is none; undefined where there is. */
export function findPrometheusObstacle(): string | undefined {
  try {
    execFileSync('prometheus', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'there is no prometheus (Debian: prometheus)'
  }
}

/** Every so many seconds it scrapes the targets and evaluates the rules of the chart. Resolves once it answers. */
export async function startPrometheus(targets: readonly Target[], seconds = 1): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'iops-limit-prometheus-'))
  const config = join(folder, 'prometheus.yaml')
  writeFileSync(config, JSON.stringify(formatConfig(targets, `${seconds}s`)))
  const address = `127.0.0.1:${await findFreePort()}`
  const origin = `http://${address}`
  const daemon = startDaemon('prometheus', [
    ...[`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`],
    ...[`--web.listen-address=${address}`, '--log.level=warn'],
  ])
  const dispose = async (): Promise<void> => {
    await daemon.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await daemon.until(async () => (await fetch(`${origin}/-/ready`)).ok)
  } catch (error) {
    await dispose()
    throw error
  }
  return { ...createPrometheusClient(origin), origin, [Symbol.asyncDispose]: dispose }
}

const formatConfig = (targets: readonly Target[], every: string): object => ({
  global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
  rule_files: [RULES],
  scrape_configs: targets.map(({ url, labels }, index) => {
    const { protocol, host, pathname } = new URL(url)
    return {
      ...{ job_name: `job-${index}`, honor_labels: true },
      ...{ scheme: protocol.slice(0, -1), metrics_path: pathname },
      static_configs: [{ targets: [host], labels }],
    }
  }),
})
