import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseNames } from '../../../certs/names.ts'
import { formatProblem } from '../../../contract/problem.ts'

const complaints = (dns: readonly string[], ips: readonly string[] = []): readonly string[] => {
  const parsed = parseNames({ dns, ips })
  return parsed.ok ? [] : parsed.problems.map(formatProblem)
}

describe('parseNames', () => {
  test('gives lower-case names and canonical addresses, each once, in order', () => {
    const parsed = parseNames({
      dns: [
        'Webhook.Svc',
        'localhost',
        'webhook.svc',
        '*.svc.cluster.local',
        'xn--bcher-kva.example',
        'a--b.3c',
      ],
      ips: ['10.0.0.1', '::1', '0:0:0:0:0:0:0:1', 'FD00::0A', '::ffff:10.0.0.1', '10.0.0.1'],
    })
    expect(parsed).toEqual({
      ok: true,
      value: {
        dns: ['webhook.svc', 'localhost', '*.svc.cluster.local', 'xn--bcher-kva.example', 'a--b.3c'],
        ips: ['10.0.0.1', '::1', 'fd00::a', '::ffff:a00:1'],
      },
    })
  })

  const LABELS = 'write labels of letters, digits and inner dashes, 1 to 63 long; a star only as the first'
  test.each([
    ['', 'DNS name: "" is empty; give a name, or leave it out'],
    ['10.0.0.1', 'DNS name: "10.0.0.1" is an IP address; move it to the IP addresses'],
    ['::1', 'DNS name: "::1" is an IP address; move it to the IP addresses'],
    ['a.svc.', 'DNS name: "a.svc." ends in a dot; leave the last dot out'],
    ['bücher.example', 'DNS name: "bücher.example" is not ASCII; write its xn-- form'],
    ['a\n.svc', 'DNS name: "a\\n.svc" is not ASCII; write its xn-- form'],
    ['*.svc', 'DNS name: "*.svc" stands for too much; write two labels behind the star'],
    ['*', `DNS name: "*" has the label "*"; ${LABELS}`],
    ['a.*.svc', `DNS name: "a.*.svc" has the label "*"; ${LABELS}`],
    ['w*.a.svc', `DNS name: "w*.a.svc" has the label "w*"; ${LABELS}`],
    ['a..svc', `DNS name: "a..svc" has an empty label; ${LABELS}`],
    ['.svc', `DNS name: ".svc" has an empty label; ${LABELS}`],
    ['a_b.svc', `DNS name: "a_b.svc" has the label "a_b"; ${LABELS}`],
    ['-a.svc', `DNS name: "-a.svc" has the label "-a"; ${LABELS}`],
    ['a-.svc', `DNS name: "a-.svc" has the label "a-"; ${LABELS}`],
    ['a b', `DNS name: "a b" has the label "a b"; ${LABELS}`],
    ['https://a', `DNS name: "https://a" has the label "https://a"; ${LABELS}`],
    [
      '10.0.0',
      'DNS name: "10.0.0" ends in a number; give a whole IP address as one, or a name that ends in a letter',
    ],
  ])('refuses %j', (name, complaint) => {
    expect(complaints([name])).toEqual([complaint])
  })

  test('knows the longest label and the longest name', () => {
    const label = 'a'.repeat(63)
    const longest = [label, label, label, 'a'.repeat(61)].join('.')
    expect(complaints([label, longest])).toEqual([])
    expect(complaints([`${longest}a`])).toEqual([
      `DNS name: "${label}...." has 254 characters; give at most 253`,
    ])
    expect(complaints([`${label}a`])[0]).toContain('has the label')
  })

  test('refuses what is no address', () => {
    expect(complaints([], ['10.0.0.256', 'fe80::1%eth0', 'localhost'])).toEqual([
      'IP address: "10.0.0.256" is not an IP address; write such as 10.0.0.1 or fd00::1; move a name to the DNS names',
      'IP address: "fe80::1%eth0" has a zone; leave out the part from %',
      'IP address: "localhost" is not an IP address; write such as 10.0.0.1 or fd00::1; move a name to the DNS names',
    ])
  })

  test('refuses no name at all', () => {
    expect(complaints([])).toEqual([
      'names: are missing: a certificate for nobody is of no use; give at least one DNS name or IP address',
    ])
  })

  test('tells every problem at once', () => {
    expect(complaints(['a_b', 'fine.svc', 'c.'], ['x'])).toHaveLength(3)
  })

  test('is total, and settles: what it gave is taken again as it is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 9, arbitrary: fc.domain() }, fc.string(), fc.ipV4())),
        fc.array(fc.oneof({ weight: 9, arbitrary: fc.ipV6() }, fc.ipV4(), fc.string())),
        (dns, ips) => {
          const parsed = parseNames({ dns, ips })
          expect(parsed.ok || parsed.problems.length > 0).toBe(true)
          if (!parsed.ok) return
          expect(parsed.value.ips.every((ip) => isIP(ip) !== 0)).toBe(true)
          expect(parseNames(parsed.value)).toEqual(parsed)
        },
      ),
    )
  })
})
