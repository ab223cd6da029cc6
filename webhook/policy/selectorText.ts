/** The string form of label selectors, by the grammar of k8s.io/apimachinery/pkg/labels/selector.go (Parse). */
import { parseInt64 } from './integer.ts'
import { isLabelKey, isLabelValue } from './labels.ts'
import type { Requirement } from './requirement.ts'

/** Longer texts than this are no selector that a person wrote. */
const LONGEST = 4096
const TOKEN = /==|!=|[=!(),<>]|[^\s=!(),<>]+/g
/** What stands behind the last token. */
const END = ''

/** The requirements, or in words what is wrong with the text. */
export function parseSelectorText(text: string): readonly Requirement[] | string {
  if (text.length > LONGEST) return `it is longer than ${LONGEST} characters`
  const tokens = createTokens(text)
  const requirements: Requirement[] = []
  if (tokens.peek() === END) return requirements
  for (;;) {
    const requirement = parseRequirement(tokens)
    if (typeof requirement === 'string') return requirement
    requirements.push(requirement)
    const next = tokens.take()
    if (next === END) return requirements
    if (next !== ',') return `found ${JSON.stringify(next)} where a comma or the end belongs`
  }
}

interface Tokens {
  readonly peek: () => string
  readonly take: () => string
  /** The word that stands next, taken; empty where none does. */
  readonly takeWord: () => string
}

function createTokens(text: string): Tokens {
  const tokens = text.match(TOKEN) ?? []
  const peek = (): string => tokens[0] ?? END
  const take = (): string => tokens.shift() ?? END
  return { peek, take, takeWord: () => (isWord(peek()) ? take() : '') }
}

const isWord = (token: string): boolean => !/^(?:==|!=|[=!(),<>])?$/.test(token)

const describe = (token: string): string => (token === END ? 'the end' : JSON.stringify(token))

function parseRequirement({ peek, take, takeWord }: Tokens): Requirement | string {
  const negated = peek() === '!'
  if (negated) take()
  const key = take()
  if (!isWord(key)) return `found ${describe(key)} where a label key belongs`
  if (!isLabelKey(key)) return `${JSON.stringify(key)} is not a label key`
  if (peek() === END || peek() === ',') return { key, operator: negated ? 'DoesNotExist' : 'Exists' }
  if (negated) return `found ${describe(peek())} behind !${key}, which takes no value`
  return parseOperation(key, take(), { peek, take, takeWord })
}

function parseOperation(key: string, sign: string, tokens: Tokens): Requirement | string {
  switch (sign) {
    case 'in':
    case 'notin':
      return parseSet(key, sign === 'in' ? 'In' : 'NotIn', tokens)
    case '=':
    case '==':
      return checked(key, 'In', [tokens.takeWord()])
    case '!=':
      return checked(key, 'NotIn', [tokens.takeWord()])
    case '>':
    case '<':
      return parseComparison(key, sign, tokens.takeWord())
    default:
      return `found ${describe(sign)} where one of =, ==, !=, in, notin, <, > belongs`
  }
}

/** The value has to be a label's value as well as a number, so it has no sign. */
function parseComparison(key: string, sign: '<' | '>', value: string): Requirement | string {
  const bound = isLabelValue(value) ? parseInt64(value) : undefined
  if (bound !== undefined) return { key, operator: sign === '>' ? 'Gt' : 'Lt', bound }
  const what = /^\d+$/.test(value) ? 'more than 64 bits hold' : 'not a whole number'
  return `${JSON.stringify(value)} behind ${key}${sign} is ${what}`
}

function checked(key: string, operator: 'In' | 'NotIn', values: readonly string[]): Requirement | string {
  const wrong = values.find((value) => !isLabelValue(value))
  return wrong === undefined
    ? { key, operator, values: new Set(values) }
    : `${JSON.stringify(wrong)} is not a label value`
}

/** `(a,b)`; an empty place, `()` included, is the empty value, as in Kubernetes. */
function parseSet(key: string, operator: 'In' | 'NotIn', { take, takeWord }: Tokens): Requirement | string {
  if (take() !== '(') return 'the values of in and notin stand in parentheses'
  const values: string[] = []
  for (;;) {
    values.push(takeWord())
    const next = take()
    if (next === ')') return checked(key, operator, values)
    if (next !== ',')
      return next === END
        ? 'a parenthesis is not closed'
        : `found ${JSON.stringify(next)} inside the parentheses`
  }
}
