/** Questions to a Prometheus. Source: https://prometheus.io/docs/prometheus/latest/querying/api/ */

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Line {
  readonly labels: Readonly<Record<string, string>>
  /** Seconds since 1970, and the value then. */
  readonly points: readonly (readonly [time: number, value: number])[]
}

/** In seconds, since 1970 and from one point to the next. */
export interface Range {
  readonly start: number
  readonly end: number
  readonly step: number
}

export interface Rule {
  readonly name: string
  /** `ok`, `err`, or `unknown` before its first turn. */
  readonly health: string
  readonly lastError?: string
  /** Of an alert: `inactive`, `pending` or `firing`. */
  readonly state?: string
}

export interface PrometheusClient {
  /** Rejects with Prometheus's words where the question cannot be parsed or answered. */
  readonly query: (expr: string) => Promise<readonly Sample[]>
  readonly queryRange: (expr: string, range: Range) => Promise<readonly Line[]>
  readonly rules: () => Promise<readonly Rule[]>
  /** Of every target: `up`, `down` or `unknown`, and why. */
  readonly targets: () => Promise<readonly { readonly health: string; readonly lastError: string }[]>
}

type Pair = readonly [time: number, value: string]

export function createPrometheusClient(origin: string): PrometheusClient {
  const ask = async <T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> => {
    const url = new URL(`/api/v1/${path}?${new URLSearchParams(query).toString()}`, origin)
    const answer = (await (await fetch(url)).json()) as { status: string; data: T; error?: string }
    if (answer.status !== 'success')
      throw new Error(`${answer.error ?? answer.status}: ${query['query'] ?? path}`)
    return answer.data
  }
  return {
    async query(expr) {
      const { result } = await ask<{ result: { metric: Sample['labels']; value: Pair }[] }>('query', {
        query: expr,
      })
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    },
    async queryRange(expr, { start, end, step }) {
      const { result } = await ask<{ result: { metric: Line['labels']; values: Pair[] }[] }>('query_range', {
        ...{ query: expr, start: String(start), end: String(end), step: String(step) },
      })
      return result.map(({ metric, values }) => ({
        labels: metric,
        points: values.map(([time, value]) => [time, Number(value)] as const),
      }))
    },
    async rules() {
      const { groups } = await ask<{ groups: { rules: Rule[] }[] }>('rules')
      return groups.flatMap(({ rules }) => rules)
    },
    async targets() {
      const { activeTargets } = await ask<{ activeTargets: { health: string; lastError: string }[] }>(
        'targets',
      )
      return activeTargets
    },
  }
}
