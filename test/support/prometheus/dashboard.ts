/** The chart's dashboard, so far as tests and its picture go by it. */
import { readFileSync } from 'node:fs'

export interface Query {
  readonly refId: string
  readonly expr: string
  /** `{{label}}` stands for a label's value. */
  readonly legendFormat: string
  readonly datasource: { readonly type: string; readonly uid: string }
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly Query[]
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string }
    /** By the refId of a query. */
    readonly overrides: readonly {
      readonly matcher: { readonly options: string }
      readonly properties: readonly { readonly id: string }[]
    }[]
  }
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly label: string
  readonly description: string
  /** Of a data source its kind. */
  readonly query: string | { readonly query: string }
}

export interface Dashboard {
  readonly uid: string
  readonly schemaVersion: number
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
}

export const DASHBOARD = 'charts/iops-limit/files/dashboard.json'

export const readDashboard = (): Dashboard => JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard

/** What Grafana puts in place of variables. */
export type Values = Readonly<Record<string, string>>

/** Everything of every pod, at the pace of a Prometheus that scrapes each second. */
export const EVERYTHING: Values = {
  ...{ node: '.*', namespace: '.*', pod: '.*', policy: '.*' },
  ...{ __rate_interval: '10s', __range: '1m' },
}

/** As Grafana does: what is no variable stays, such as the `$1` of label_replace. */
export const fillIn = (expr: string, values: Values): string =>
  expr.replaceAll(/\$(\w+)/g, (whole, name: string) => values[name] ?? whole)

/** Names of metrics as they are exposed: a histogram's without the endings of its series. */
export const findMetrics = (text: string): readonly string[] => [
  ...new Set(
    (text.match(/\biops_limit_\w+/g) ?? []).map((name) =>
      name.replace(/_seconds_(bucket|sum|count)$/, '_seconds'),
    ),
  ),
]
