/**
 * Label selectors with the semantics of Kubernetes.
 * Source: k8s.io/apimachinery/pkg/labels/selector.go and meta/v1/helpers.go (LabelSelectorAsSelector).
 */

import {
  childOf,
  type Field,
  isAbsent,
  readList,
  readStrictMap,
  readString,
  readStringMap,
  readStrings,
  refuse,
} from '../../contract/reader.ts'
import { parseInt64 } from './integer.ts'
import { isLabelKey, isLabelValue } from './labels.ts'
import type { Requirement } from './requirement.ts'
import { parseSelectorText } from './selectorText.ts'

export type Labels = Readonly<Record<string, string>>

export type Selector = readonly Requirement[]

export const isSelected = (selector: Selector, labels: Labels): boolean =>
  selector.every((requirement) => isMet(requirement, labels))

function isMet(requirement: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && requirement.values.has(value)
    case 'NotIn':
      return value === undefined || !requirement.values.has(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
    case 'Lt':
      return isBeyond(requirement.operator, value, requirement.bound)
  }
}

function isBeyond(operator: 'Gt' | 'Lt', value: string | undefined, bound: bigint): boolean {
  const number = value === undefined ? undefined : parseInt64(value)
  if (number === undefined) return false
  return operator === 'Gt' ? number > bound : number < bound
}

/** A selector as a map (`matchLabels`, `matchExpressions`) or as text (`app=system,env in (prod,staging),!debug`). */
export function readSelector(field: Field): Selector {
  if (typeof field.value === 'string') return readSelectorText(field, field.value)
  const map = readStrictMap(field, ['matchLabels', 'matchExpressions'])
  if (map === undefined) return []
  const labels = childOf(field, map, 'matchLabels')
  const expressions = childOf(field, map, 'matchExpressions')
  return [
    ...(isAbsent(labels) ? [] : readMatchLabels(labels)),
    ...(isAbsent(expressions)
      ? []
      : (readList(expressions) ?? []).flatMap((item) => readExpression(item) ?? [])),
  ]
}

function readSelectorText(field: Field, text: string): Selector {
  const parsed = parseSelectorText(text)
  if (typeof parsed !== 'string') return parsed
  refuse(field, `is not a selector: ${parsed}`, 'write such as "app=system,env in (prod,staging),!debug"')
  return []
}

function readMatchLabels(field: Field): Selector {
  const labels = readStringMap(field)
  return Object.entries(labels).map(([key, value]) => {
    const where = childOf(field, labels, key)
    checkKey({ ...where, value: key }, key)
    checkValue(where, value)
    return { key, operator: 'In', values: new Set([value]) }
  })
}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const

function readExpression(field: Field): Requirement | undefined {
  const map = readStrictMap(field, ['key', 'operator', 'values'])
  if (map === undefined) return undefined
  const key = readString(childOf(field, map, 'key'))
  if (key !== undefined) checkKey(childOf(field, map, 'key'), key)
  const operatorField = childOf(field, map, 'operator')
  const operator = OPERATORS.find((known) => known === operatorField.value)
  if (operator === undefined)
    return refuse(operatorField, 'is not an operator', `write one of ${OPERATORS.join(', ')}`)
  const valuesField = childOf(field, map, 'values')
  const values = isAbsent(valuesField) ? [] : readStrings(valuesField)
  for (const value of values) checkValue({ ...valuesField, value }, value)
  if (key === undefined) return undefined
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      return refuse(valuesField, `is empty, and ${operator} compares with values`, 'list at least one value')
    return { key, operator, values: new Set(values) }
  }
  if (values.length > 0) return refuse(valuesField, `is given, and ${operator} takes none`, 'remove it')
  return { key, operator }
}

function checkKey(field: Field, key: string): void {
  if (!isLabelKey(key))
    refuse(
      field,
      'is not a label key',
      'write [PREFIX/]NAME of letters, digits, "-", "_", "."; NAME has at most 63',
    )
}

function checkValue(field: Field, value: string): void {
  if (!isLabelValue(value))
    refuse(
      field,
      'is not a label value',
      'write at most 63 letters, digits, "-", "_", "."; the ends are letters or digits',
    )
}
