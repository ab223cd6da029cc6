/** Which rule decides: the first whose selector matches, found without trying them all. */
import { once } from './once.ts'
import type { Policy, Rule } from './policy.ts'
import type { Requirement } from './requirement.ts'
import { isSelected, type Labels, type Selector } from './selector.ts'

/** The first rule whose selector matches. */
export function findRule({ rules }: Pick<Policy, 'rules'>, labels: Labels): Rule | undefined {
  const { byLabel, others } = indexOf(rules)
  let first = rules.length
  const tryInOrder = (places: readonly Place[]): void => {
    for (const { at, selector } of places) {
      if (at >= first) return
      if (isSelected(selector, labels)) first = at
    }
  }
  tryInOrder(others)
  for (const [key, byValue] of byLabel) {
    const places = Object.hasOwn(labels, key) ? byValue.get(String(labels[key])) : undefined
    if (places !== undefined) tryInOrder(places)
  }
  return rules[first]
}

/** Where a rule stands among the others. */
interface Place {
  readonly at: number
  readonly selector: Selector
}

/** Rules by the first label that each requires: of a thousand, a pod's own labels leave few to be tried. */
interface RuleIndex {
  readonly byLabel: ReadonlyMap<string, ReadonlyMap<string, readonly Place[]>>
  /** Those that require none, or any of a label's values. */
  readonly others: readonly Place[]
}

const indexOf = once(createIndex)

function createIndex(rules: readonly Rule[]): RuleIndex {
  const byLabel = new Map<string, Map<string, Place[]>>()
  const others: Place[] = []
  for (const [at, { selector }] of rules.entries()) {
    const required = selector.find(isRequired)
    if (required === undefined) others.push({ at, selector })
    else addTo(byLabel, required, { at, selector })
  }
  return { byLabel, others }
}

type Required = Extract<Requirement, { readonly values: ReadonlySet<string> }>

const isRequired = (requirement: Requirement): requirement is Required => requirement.operator === 'In'

function addTo(byLabel: Map<string, Map<string, Place[]>>, { key, values }: Required, place: Place): void {
  const byValue = byLabel.get(key) ?? new Map<string, Place[]>()
  byLabel.set(key, byValue)
  for (const value of values) {
    const places = byValue.get(value)
    if (places === undefined) byValue.set(value, [place])
    else places.push(place)
  }
}
