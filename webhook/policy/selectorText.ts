/** The string form of label selectors, by the grammar of k8s.io/apimachinery/pkg/labels/selector.go (Parse). */
import { isLabelKey, isLabelValue } from './labels.ts'
import type { Requirement } from './selector.ts'

/** Longer texts than this are no selector that a person wrote. */
const LONGEST = 4096
const TOKEN = /\s*(?:(==|!=|[=!(),<>])|([^\s=!(),<>]+))/y
const END = ''

/** The requirements, or in words what is wrong with the text. */
export function parseSelectorText(text: string): readonly Requirement[] | string {
  if (text.length > LONGEST) return `it is longer than ${LONGEST} characters`
  const tokens = splitTokens(text)
  const requirements: Requirement[] = []
  if (tokens[0] === undefined) return requirements
  for (;;) {
    const requirement = parseRequirement(tokens)
    if (typeof requirement === 'string') return requirement
    requirements.push(requirement)
    const next = tokens.shift() ?? END
    if (next === END) return requirements
    if (next !== ',') return `found ${JSON.stringify(next)} where a comma or the end belongs`
  }
}

function splitTokens(text: string): string[] {
  const tokens = []
  TOKEN.lastIndex = 0
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text))
    tokens.push(found[1] ?? found[2] ?? END)
  return tokens
}

const isWord = (token: string): boolean => !/^(?:==|!=|[=!(),<>])?$/.test(token)

/** The word at the front, taken off; empty where there is none. */
const takeWord = (tokens: string[]): string => (isWord(tokens[0] ?? END) ? (tokens.shift() ?? END) : '')

const describe = (token: string): string => (token === END ? 'the end' : JSON.stringify(token))

/** Takes one requirement's tokens off the front. */
function parseRequirement(tokens: string[]): Requirement | string {
  const negated = tokens[0] === '!'
  if (negated) tokens.shift()
  const key = tokens.shift() ?? END
  if (!isWord(key)) return `found ${describe(key)} where a label key belongs`
  if (!isLabelKey(key)) return `${JSON.stringify(key)} is not a label key`
  if (tokens[0] === undefined || tokens[0] === ',')
    return { key, operator: negated ? 'DoesNotExist' : 'Exists' }
  if (negated) return `found ${JSON.stringify(tokens[0])} behind !${key}, which takes no value`
  return parseOperation(key, tokens.shift() ?? END, tokens)
}

function parseOperation(key: string, sign: string, tokens: string[]): Requirement | string {
  if (sign === 'in' || sign === 'notin') {
    const values = parseValues(tokens)
    return typeof values === 'string' ? values : checked(key, sign === 'in' ? 'In' : 'NotIn', values)
  }
  if (!['=', '==', '!=', '<', '>'].includes(sign))
    return `found ${JSON.stringify(sign)} where one of =, ==, !=, in, notin, <, > belongs`
  const value = takeWord(tokens)
  if (sign === '<' || sign === '>') {
    if (!/^[+-]?\d{1,19}$/.test(value))
      return `${JSON.stringify(value)} behind ${key}${sign} is not a whole number`
    return { key, operator: sign === '>' ? 'Gt' : 'Lt', bound: BigInt(value) }
  }
  return checked(key, sign === '!=' ? 'NotIn' : 'In', [value])
}

function checked(key: string, operator: 'In' | 'NotIn', values: readonly string[]): Requirement | string {
  const wrong = values.find((value) => !isLabelValue(value))
  return wrong === undefined
    ? { key, operator, values: new Set(values) }
    : `${JSON.stringify(wrong)} is not a label value`
}

/** `(a,b)`; an empty place between commas is the empty value, as in Kubernetes. */
function parseValues(tokens: string[]): readonly string[] | string {
  if (tokens.shift() !== '(') return 'the values of in and notin stand in parentheses'
  if (tokens[0] === ')') return 'the parentheses hold no value'
  const values: string[] = []
  for (;;) {
    values.push(takeWord(tokens))
    const next = tokens.shift()
    if (next === ')') return values
    if (next !== ',')
      return next === undefined
        ? 'a parenthesis is not closed'
        : `found ${JSON.stringify(next)} inside the parentheses`
  }
}
