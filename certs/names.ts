/**
 * The names that a serving certificate stands for.
 * Sources: RFC 1123 2.1 and RFC 5280 4.2.1.6 (DNS names), RFC 6125 6.4.3 (wildcards).
 */
import { isIP } from 'node:net'

/** Lower-case DNS names and canonical IP addresses, each once, in the order given; at least one in all. */
export interface Names {
  readonly dns: readonly string[]
  readonly ips: readonly string[]
}

/** One name that no certificate can carry. Of the same shape as every problem of the product. */
export interface NameProblem {
  readonly field: 'DNS name' | 'IP address' | 'names'
  readonly value?: string
  readonly reason: string
  readonly cure: string
}

export type ParsedNames =
  | { readonly ok: true; readonly value: Names }
  | { readonly ok: false; readonly problems: readonly NameProblem[] }

/** Every problem of every name at once. */
export function parseNames(given: Names): ParsedNames {
  const problems = [...given.dns.flatMap(findDnsProblem), ...given.ips.flatMap(findIpProblem)]
  if (given.dns.length + given.ips.length === 0) problems.push(NO_NAME)
  if (problems.length > 0) return { ok: false, problems }
  const dns = new Set(given.dns.map((name) => name.toLowerCase()))
  return { ok: true, value: { dns: [...dns], ips: [...new Set(given.ips.map(canonicalIp))] } }
}

const NO_NAME: NameProblem = {
  field: 'names',
  reason: 'are missing: a certificate for nobody is of no use',
  cure: 'give at least one DNS name or IP address',
}

const LONGEST_NAME = 253
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

function findDnsProblem(name: string): readonly NameProblem[] {
  const problem = (reason: string, cure: string): readonly NameProblem[] => [
    { field: 'DNS name', value: name, reason, cure },
  ]
  if (name === '') return problem('is empty', 'give a name, or leave it out')
  if (isIP(name) !== 0) return problem('is an IP address', 'move it to the IP addresses')
  if (name.endsWith('.')) return problem('ends in a dot', 'leave the last dot out')
  if (/[^ -~]/.test(name)) return problem('is not ASCII', 'write its xn-- form')
  if (name.length > LONGEST_NAME)
    return problem(`has ${name.length} characters`, `give at most ${LONGEST_NAME}`)
  const isWild = name.startsWith('*.')
  const labels = (isWild ? name.slice(2) : name).split('.')
  // OpenSSL's valid_star() and the browsers match no star before a single label.
  if (isWild && labels.length < 2) return problem('stands for too much', 'write two labels behind the star')
  const wrong = labels.find((label) => !LABEL.test(label))
  if (wrong !== undefined) return problem(describeLabel(wrong), LABEL_CURE)
  return /^\d+$/.test(labels.at(-1) ?? '')
    ? problem('ends in a number', 'give a whole IP address as one, or a name that ends in a letter')
    : []
}

const LABEL_CURE = 'write labels of letters, digits and inner dashes, 1 to 63 long; a star only as the first'

const describeLabel = (label: string): string =>
  label === '' ? 'has an empty label' : `has the label ${JSON.stringify(label)}`

function findIpProblem(ip: string): readonly NameProblem[] {
  if (ip.includes('%') && isIP(ip) !== 0) {
    return [{ field: 'IP address', value: ip, reason: 'has a zone', cure: 'leave out the part from %' }]
  }
  return isIP(ip) === 0
    ? [
        {
          field: 'IP address',
          value: ip,
          reason: 'is not an IP address',
          cure: 'write such as 10.0.0.1 or fd00::1; move a name to the DNS names',
        },
      ]
    : []
}

/** One spelling for each address (RFC 5952, as URLs have it); IPv4 has but one. */
const canonicalIp = (ip: string): string =>
  isIP(ip) === 6 ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip
