/** IOLimitPolicies, good and bad, as values of YAML: what schema and loader are compared by. */
import fc from 'fast-check'

/** The fields of one rule in YAML's flow style, without the name. */
export const GOOD_RULES: readonly string[] = [
  '',
  'exempt: true',
  'exempt: false, max: {iops: 5}',
  'exempt: true, selector: "a"',
  'default: {}',
  'default: {iops: 2}, max: {iops: 4294967294}',
  'default: {iops: "2"}, max: {iops: "4294967294"}',
  'max: {readIOPS: "0500"}',
  'max: {bps: "18446744073709551614"}',
  'max: {bps: 2}, min: {bps: "2"}',
  'max: {bps: 50Mi, readBPS: 1.5Gi, writeBPS: 100M}',
  'max: {bps: 2e6}',
  'max: {bps: "2e6", readBPS: "1.5e3", writeBPS: "+5k"}',
  'max: {bps: 2000m}',
  'max: {bps: 15Ei, readBPS: 18E}',
  'max: {bps: "5.", readBPS: ".5k", writeBPS: "1.50k"}',
  'min: {readIOPS: 5}, default: {readIOPS: 5}, max: {readIOPS: 5}',
  'min: {iops: 600}, max: {iops: 500, readIOPS: 600, writeIOPS: 700}',
  'default: {bps: 1.1M}, max: {bps: 1100000}',
  'default: {bps: 1Mi}, max: {bps: 1048576}',
  'default: {bps: 1048575}, max: {bps: 1Mi}',
  'default: {readIOPS: 100}, max: {iops: 1000, readBPS: 1Gi}',
  'scope: pod',
  'scope: container',
  'exemptContainers: {}',
  'exemptContainers: {names: [], images: ["*/pause:*"], nameRegexes: ["a+"], imageRegexes: ["registry\\\\.x/.*"]}',
  'selector: ""',
  'selector: {}',
  'selector: {matchLabels: {}, matchExpressions: []}',
  'selector: {matchLabels: {app: db, example.com/Tier_1: ""}}',
  'selector: {matchLabels: null}',
  'selector: {matchExpressions: [{key: a, operator: In, values: [""]}, {key: b, operator: Exists}]}',
  'selector: {matchExpressions: [{key: a, operator: DoesNotExist, values: []}]}',
  'selector: "app=system,env in (prod,staging),!debug"',
  'selector: " a == b , c!=d,e  notin(f, g),h>5,i<07"',
  'selector: "a in ()"',
  'selector: "a=,in,notin=b"',
  'selector: "example.com/a=b"',
  'adaptive: {windows: [{over: 15m, above: {writeIOPS: 800}, limit: {writeIOPS: 500}}]}',
  'max: {writeIOPS: 5000}, min: {writeIOPS: 100}, adaptive: {mode: enforce, hold: 30m, release: {below: 0.5, for: 10m}, windows: [{over: 1h, above: {iops: 400}, limit: {iops: 300}}, {over: 900s, above: {writeIOPS: 800}, limit: {writeIOPS: 800}}]}',
  'adaptive: {mode: report, release: {}, windows: [{over: 10s, above: {bps: 50Mi}, limit: {iops: 100, writeBPS: 50Mi}}]}',
  'adaptive: {release: {below: 0.01}, windows: [{over: 24h, above: {iops: "800"}, limit: {iops: "500"}}]}',
  'adaptive: {hold: 1h30m10s, windows: [{over: 90m, above: {readBPS: 1Mi, bps: 5}, limit: {readBPS: 1048576}}]}',
  'max: {bps: 50M}, adaptive: {windows: [{over: 1m, above: {iops: 5}, limit: {readBPS: "50000000"}}]}',
  'min: {iops: 500}, adaptive: {windows: [{over: 1m, above: {iops: 501}, limit: {readIOPS: 500}}]}',
]

/** One window that nothing is wrong with. */
const WINDOW = 'over: 15m, above: {iops: 800}, limit: {iops: 500}'

export const BAD_RULES: readonly string[] = [
  'default: {iops: 0}',
  'default: {iops: 1}',
  'default: {iops: 4294967295}',
  'default: {iops: "4294967295"}',
  'default: {iops: "99999999999999999999999"}',
  'default: {iops: -5}',
  'default: {iops: 1.5}',
  'default: {iops: "1e3"}',
  'default: {iops: 10k}',
  'default: {iops: ""}',
  'default: {iops: " 5"}',
  'default: {iops: max}',
  'default: {readIOPS: true}',
  'default: {readIOPS: [5]}',
  'default: {readIOPS: {a: 5}}',
  'max: {readBPS: max}',
  'max: {readBPS: "0"}',
  'max: {readBPS: 1}',
  'max: {readBPS: 0.5}',
  'max: {readBPS: "1.5"}',
  'max: {readBPS: 1.3Ki}',
  'max: {readBPS: 100m}',
  'max: {readBPS: 200MB}',
  'max: {readBPS: 64K}',
  'max: {readBPS: 1mi}',
  'max: {readBPS: "-5Mi"}',
  'max: {readBPS: "5 Mi"}',
  'max: {readBPS: "."}',
  'max: {readBPS: "+"}',
  'max: {readBPS: "1e"}',
  'max: {readBPS: ""}',
  'max: {readBPS: 16Ei}',
  'max: {readBPS: 19E}',
  'max: {readBPS: "18446744073709551615"}',
  'max: {readBPS: "99999999999999999999"}',
  'max: {readBPS: "1e20"}',
  'min: {readIOPS: 6}, max: {readIOPS: 5}',
  'min: {readIOPS: 6}, max: {iops: 5}',
  'default: {iops: 600}, max: {writeIOPS: 500}',
  'default: {iops: "600"}, max: {writeIOPS: 500}',
  'default: {bps: 1Mi}, min: {readBPS: 2Mi}',
  'default: {bps: 1Mi}, max: {writeBPS: 1048575}',
  'default: {bps: 1Mi}, max: {bps: 1M}',
  'min: {bps: 1e6}, max: {writeBPS: 999999}',
  'min: {bps: 1Gi}, max: {readBPS: 1073741823}',
  'default: []',
  'default: 5',
  'default: {readIops: 5}',
  'exempt: yes',
  'exempt: 1',
  'exempt: true, max: {iops: 5}',
  'exempt: true, scope: pod',
  'exempt: true, exemptContainers: {}',
  'scope: node',
  'scope: 5',
  'limits: {iops: 5}',
  'exemptContainers: []',
  'exemptContainers: {names: istio}',
  'exemptContainers: {names: [5]}',
  'exemptContainers: {names: [""]}',
  `exemptContainers: {names: ["${'x'.repeat(257)}"]}`,
  'exemptContainers: {image: [a]}',
  'exemptContainers: {nameRegexes: ["(?=a)"]}',
  'exemptContainers: {imageRegexes: ["["]}',
  'selector: 5',
  'selector: true',
  'selector: []',
  'selector: [a]',
  'selector: {matchLabel: {a: b}}',
  'selector: {matchLabels: {a: b}, x: 1}',
  'selector: {matchLabels: {a: 5}}',
  'selector: {matchLabels: {a: "b c"}}',
  'selector: {matchLabels: {"-a": b}}',
  'selector: {matchLabels: {"Example.com/a": b}}',
  'selector: {matchLabels: []}',
  'selector: {matchExpressions: {}}',
  'selector: {matchExpressions: [5]}',
  'selector: {matchExpressions: [{operator: Exists}]}',
  'selector: {matchExpressions: [{key: a}]}',
  'selector: {matchExpressions: [{key: a, operator: in, values: [b]}]}',
  'selector: {matchExpressions: [{key: a, operator: In}]}',
  'selector: {matchExpressions: [{key: a, operator: NotIn, values: []}]}',
  'selector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}',
  'selector: {matchExpressions: [{key: "a b", operator: Exists}]}',
  'selector: {matchExpressions: [{key: a, operator: In, values: ["b c"]}]}',
  'selector: {matchExpressions: [{key: a, operator: Exists, value: b}]}',
  'selector: "a in ("',
  'selector: "a in b"',
  'selector: "a=b=c"',
  'selector: "a,,b"',
  'selector: ","',
  'selector: "!a=b"',
  'selector: "a>b"',
  'selector: "a b"',
  'selector: "a=-b"',
  'selector: "/a"',
  'adaptive: {}',
  'adaptive: []',
  'adaptive: {windows: []}',
  'adaptive: {windows: {}}',
  'adaptive: {windows: [5]}',
  `adaptive: {windows: [{${WINDOW}}], window: 5}`,
  `adaptive: {windows: [{${WINDOW}, to: 5}]}`,
  'adaptive: {windows: [{above: {iops: 800}, limit: {iops: 500}}]}',
  'adaptive: {windows: [{over: 15m, limit: {iops: 500}}]}',
  'adaptive: {windows: [{over: 15m, above: {iops: 800}}]}',
  'adaptive: {windows: [{over: 15m, above: {}, limit: {iops: 500}}]}',
  'adaptive: {windows: [{over: 15m, above: {iops: 800}, limit: {}}]}',
  'adaptive: {windows: [{over: 15m, above: {iops: 0}, limit: {iops: 500}}]}',
  'adaptive: {windows: [{over: 15m, above: {iops: 800}, limit: {iops: max}}]}',
  'adaptive: {windows: [{over: 15m, above: {iops: 800}, limit: {writeIOPS: 801}}]}',
  'adaptive: {windows: [{over: 15m, above: {bps: 50M}, limit: {writeBPS: 50Mi}}]}',
  `max: {writeIOPS: 499}, adaptive: {windows: [{${WINDOW}}]}`,
  `min: {writeIOPS: 501}, adaptive: {windows: [{${WINDOW}}]}`,
  'max: {bps: 1M}, adaptive: {windows: [{over: 15m, above: {iops: 5}, limit: {readBPS: 1Mi}}]}',
  'min: {bps: 1Mi}, adaptive: {windows: [{over: 15m, above: {iops: 5}, limit: {readBPS: 1M}}]}',
  `adaptive: {windows: [{${WINDOW}}, {${WINDOW}}]}`,
  'adaptive: {windows: [{over: 60m, above: {iops: 5}, limit: {iops: 5}}, {over: 1h, above: {iops: 5}, limit: {iops: 5}}]}',
  `adaptive: {windows: [${Array.from({ length: 9 }, (_, index) => `{over: ${index + 1}m, above: {iops: 5}, limit: {iops: 5}}`).join(', ')}]}`,
  ...['9s', '0s', '24h1s', '25h', '15', '', 'm', '1.5m', '15 m', '-15m', '500ms', '1m1h', '100000s'].map(
    (length) => `adaptive: {hold: "${length}", windows: [{${WINDOW}}]}`,
  ),
  'adaptive: {windows: [{over: 15, above: {iops: 800}, limit: {iops: 500}}]}',
  `adaptive: {hold: 900, windows: [{${WINDOW}}]}`,
  `adaptive: {mode: dry, windows: [{${WINDOW}}]}`,
  `adaptive: {release: {below: 0}, windows: [{${WINDOW}}]}`,
  `adaptive: {release: {below: 1}, windows: [{${WINDOW}}]}`,
  `adaptive: {release: {below: -0.5}, windows: [{${WINDOW}}]}`,
  `adaptive: {release: {below: "0.5"}, windows: [{${WINDOW}}]}`,
  `adaptive: {release: {for: 5s}, windows: [{${WINDOW}}]}`,
  `adaptive: {release: {below: 0.5, over: 5m}, windows: [{${WINDOW}}]}`,
  `adaptive: {release: 0.5, windows: [{${WINDOW}}]}`,
  `exempt: true, adaptive: {windows: [{${WINDOW}}]}`,
]

const BLOCKS = ['default', 'max', 'min'] as const

const iops = fc.oneof(
  fc.integer({ min: 0, max: 12 }),
  fc.integer({ min: 4_294_967_290, max: 4_294_967_300 }),
  fc.integer({ min: 0, max: 1500 }).map(String),
  fc.constantFrom('max', '1k', '', '0x5', '1.0', '٣'),
)

const bps = fc.oneof(
  fc.integer({ min: 0, max: 5_000_000 }),
  fc
    .tuple(
      fc.constantFrom('', '', '', '+', '-'),
      fc.oneof(
        fc.integer({ min: 0, max: 3000 }).map(String),
        fc
          .tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 9999 }))
          .map(([whole, rest]) => `${whole}.${rest}`),
      ),
      fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti', 'K', 'E', 'Ei', 'e3', 'E2', 'e-1', 'B'),
    )
    .map((parts) => parts.join('')),
)

const block = fc.record(
  { iops, readIOPS: iops, writeIOPS: iops, bps, readBPS: bps, writeBPS: bps },
  { requiredKeys: [] },
)

const labelKey = fc.constantFrom('a', 'in', 'example.com/b', 'A_b.c', '-a', 'a/b/c', 'notin')
const labelValue = fc.constantFrom('', 'x', '5', 'a.b', '-', 'x y')
const selectorText = fc
  .array(
    fc.oneof(
      labelKey,
      labelKey.map((key) => `!${key}`),
      fc
        .tuple(labelKey, fc.constantFrom('=', '==', '!=', '>', '<', ' = '), labelValue)
        .map((parts) => parts.join('')),
      fc
        .tuple(labelKey, fc.constantFrom('in', 'notin', 'In'), fc.array(labelValue, { maxLength: 3 }))
        .map(([key, operator, values]) => `${key} ${operator} (${values.join(',')})`),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(','))

const selector = fc.oneof(
  selectorText,
  fc.record(
    {
      matchLabels: fc.dictionary(labelKey, labelValue, { maxKeys: 3 }),
      matchExpressions: fc.array(
        fc.record(
          {
            key: labelKey,
            operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt'),
            values: fc.array(labelValue, { maxLength: 2 }),
          },
          { requiredKeys: ['key', 'operator'] },
        ),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: [] },
  ),
)

const mostly = <T>(good: fc.Arbitrary<T>, any: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 9, arbitrary: good }, { weight: 1, arbitrary: any })

const length = mostly(
  fc.constantFrom('15m', '60m', '1h', '90s', '10s', '24h'),
  fc.constantFrom('9s', '1m30', '1d', ''),
)
const threshold = mostly<number | string>(fc.integer({ min: 8, max: 12 }), iops)
const imposed = mostly<number | string>(fc.integer({ min: 2, max: 9 }), iops)

const adaptive = fc.record(
  {
    mode: mostly(fc.constantFrom('enforce', 'report'), fc.constant('dry')),
    windows: fc.array(
      fc.oneof(
        fc.record({
          over: length,
          above: fc.record({ iops: threshold }),
          limit: fc.record({ writeIOPS: imposed }),
        }),
        fc.record({
          over: length,
          above: fc.record({ readBPS: mostly<number | string>(fc.constantFrom('1Mi', '2e6'), bps) }),
          limit: fc.record({ bps: mostly<number | string>(fc.constantFrom('1M', 1_048_576), bps) }),
        }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
    hold: length,
    release: fc.record(
      { below: mostly(fc.constantFrom(0.25, 0.5), fc.constantFrom(0, 1)), for: length },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['windows'] },
)

/** A rule that is sometimes good: few fields at once, so that most have one mistake or none. */
export const rules = fc
  .tuple(
    fc.constantFrom('r', 'r1', 'a-b', 'A', '', '-'),
    fc.oneof(
      fc.record({ selector }),
      fc.record(Object.fromEntries(BLOCKS.map((name) => [name, block])), { requiredKeys: [] }),
      fc.record({ default: fc.record({ iops }), max: fc.record({ readIOPS: iops }) }),
      fc.record({ default: fc.record({ bps }), max: fc.record({ writeBPS: bps }) }),
      fc.record({ min: fc.record({ readBPS: bps }) }),
      fc.record({ adaptive }),
      fc.record(
        { adaptive, max: fc.record({ iops: threshold }), min: fc.record({ writeIOPS: imposed }) },
        { requiredKeys: ['adaptive'] },
      ),
      fc.record({ exempt: fc.boolean(), scope: fc.constantFrom('pod', 'container', 'Pod') }),
    ),
  )
  .map(([name, fields]) => ({ name, ...fields }))

export const policyOf = (rule: object): object => ({
  apiVersion: 'policy.iops-limit/v1alpha1',
  kind: 'IOLimitPolicy',
  metadata: { name: 'p' },
  spec: { rules: [rule] },
})
