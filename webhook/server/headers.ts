/** What the head of a request says about it, judged before a byte of the body is read. Pure. */
import type { IncomingHttpHeaders } from 'node:http'
import { parseDuration } from '../../settings/option.ts'
import { type Rejection, rejectEncoding, rejectSize, rejectType } from './rejection.ts'

export function findHeaderRejection(headers: IncomingHttpHeaders, maxBytes: number): Rejection | undefined {
  const { 'content-type': type, 'content-encoding': encoding = '', 'content-length': length } = headers
  // As the API server says it; all else is looked at closely.
  if (type !== 'application/json' && !isJson(type ?? '')) return rejectType(type)
  if (encoding !== '' && encoding.trim().toLowerCase() !== 'identity') return rejectEncoding(encoding)
  return Number(length ?? 0) > maxBytes ? rejectSize(maxBytes) : undefined
}

/** JSON is UTF-8 (RFC 8259, 8.1); whoever says another charset is not understood. Other parameters mean nothing. */
function isJson(type: string): boolean {
  const [media = '', ...parameters] = type.toLowerCase().split(';')
  const charset = parameters
    .map((parameter) => parameter.trim())
    .find((parameter) => parameter.startsWith('charset='))
  return media.trim() === 'application/json' && (charset === undefined || UTF_8.has(charset))
}

const UTF_8: ReadonlySet<string> = new Set(['charset=utf-8', 'charset="utf-8"', 'charset=utf8'])

/**
 * Milliseconds until the answer is of no use. The API server says so by `?timeout=10s`
 * (k8s.io/apiserver/pkg/admission/plugin/webhook/mutating/dispatcher.go); what is no duration counts as not said.
 */
export function findDeadline(url: string, longest: number): number {
  const start = url.indexOf('?')
  const given = start === -1 ? null : new URLSearchParams(url.slice(start)).get('timeout')
  const wanted = parseDuration(given ?? '') ?? 0
  return wanted > 0 ? Math.min(wanted, longest) : longest
}

/** {@link findDeadline}, its last answer kept: the API server asks for the same each time. */
export function createDeadlines(longest: number): (url: string) => number {
  let last = { url: '', milliseconds: longest }
  return (url) => {
    if (url !== last.url) last = { url, milliseconds: findDeadline(url, longest) }
    return last.milliseconds
  }
}
