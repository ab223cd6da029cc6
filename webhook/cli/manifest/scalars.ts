/**
 * What an unquoted word of a manifest is: just what kubectl makes of it, which is YAML 1.1 as the Go library go.yaml.in/yaml/v2
 * speaks it (resolve.go): `yes` and `on` are truth values, `010` is eight, and a date stays a text.
 */
import {
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  FAILSAFE_SCHEMA,
  mapTag,
  mergeTag,
  NOT_RESOLVED,
  type Schema,
  seqTag,
} from 'js-yaml'

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL'])
const TRUE = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'])
const FALSE = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'])
const DIGITS = '- + 0 1 2 3 4 5 6 7 8 9'.split(' ')

const nullTag = defineScalarTag<null>('tag:yaml.org,2002:null', {
  implicit: true,
  implicitFirstChars: ['', '~', 'n', 'N'],
  resolve: (source) => (NULLS.has(source) ? null : NOT_RESOLVED),
  identify: (value) => value === null,
  represent: () => 'null',
})

const boolTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: 'y Y n N t T f F o O'.split(' '),
  resolve: (source) => TRUE.has(source) || (FALSE.has(source) ? false : NOT_RESOLVED),
  identify: (value) => typeof value === 'boolean',
})

export const intTag = defineScalarTag<number | bigint>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: DIGITS,
  resolve: (source) => parseInteger(source) ?? NOT_RESOLVED,
  identify: (value) => typeof value === 'bigint' || Number.isSafeInteger(value),
})

const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/
const SPECIAL = new Map([
  ...['.nan', '.NaN', '.NAN'].map((text) => [text, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF'].flatMap((text) => [
    [text, Number.POSITIVE_INFINITY] as const,
    [`+${text}`, Number.POSITIVE_INFINITY] as const,
    [`-${text}`, Number.NEGATIVE_INFINITY] as const,
  ]),
])

const floatTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: ['.', ...DIGITS],
  resolve: (source) => {
    const plain = source.replaceAll('_', '')
    return FLOAT.test(plain) ? Number(plain) : (SPECIAL.get(source) ?? NOT_RESOLVED)
  },
  identify: (value) => typeof value === 'number' && !Number.isSafeInteger(value),
})

/** strconv.ParseInt(source without "_", 0, 64), else ParseUint; undefined where neither takes it. */
function parseInteger(source: string): number | bigint | undefined {
  const [, sign = '', digits = ''] = /^([-+]?)(.*)$/.exec(source.replaceAll('_', '')) ?? []
  const literal = /^0[0-7]+$/.test(digits) ? `0o${digits}` : digits
  if (!/^(?:0|[1-9]\d*|0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(literal)) return undefined
  const magnitude = BigInt(literal)
  const value = sign === '-' ? -magnitude : magnitude
  if (value < -(2n ** 63n) || magnitude >= 2n ** (sign === '' ? 64n : 63n)) return undefined
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

/** Tags of other tools (`!vault`, `!Ref`) and dates: what stands there as it is. */
const foreignTags = ['!', 'tag:'].flatMap((tag) => [
  defineScalarTag<string>(tag, {
    matchByTagPrefix: true,
    resolve: (source) => source,
    identify: () => false,
  }),
  defineSequenceTag<unknown[]>(tag, { ...seqTag, matchByTagPrefix: true, identify: () => false }),
  defineMappingTag<Record<string, unknown>>(tag, {
    ...mapTag,
    matchByTagPrefix: true,
    identify: () => false,
  }),
])

export const KUBECTL_SCHEMA: Schema = FAILSAFE_SCHEMA.withTags(
  nullTag,
  boolTag,
  intTag,
  floatTag,
  mergeTag,
  ...foreignTags,
)
