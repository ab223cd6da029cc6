/** Which containers a rule leaves alone, found with bounded work. */
import { type Pattern, sizeOf } from './pattern.ts'
import type { LimitRule } from './policy.ts'
import type { ContainerInfo } from './subject.ts'

export interface ExemptContainers {
  /** Sorted, so that the answer does not hang on the containers' order. */
  readonly names: readonly string[]
  /** How many containers were limited without being compared: there was too much to compare. */
  readonly skipped: number
}

/** A container's name is a DNS label (RFC 1123); no reference to an image is as long as 512 characters. */
const LONGEST_NAME = 63
const LONGEST_IMAGE = 512

/**
 * Steps of matching that one pod may cost, 0.1 to 0.2 microseconds each at worst. The largest patterns that a rule may have still
 * read 2,000 characters of distinct images, patterns as people write them 20,000.
 */
const MOST_STEPS = 2_000_000

/** What a pod that is made to be slow holds beyond the bounds is limited, not matched. */
export function findExemptContainers(
  { exemptNames, exemptImages }: Exemptions,
  containers: readonly ContainerInfo[],
): ExemptContainers {
  if (exemptNames.length === 0 && exemptImages.length === 0) return NONE_EXEMPT
  if (sumSteps({ exemptNames, exemptImages }, containers) <= MOST_STEPS) {
    const exempt = containers.filter(
      ({ name, image }) =>
        isAny(exemptNames, name, LONGEST_NAME) || isAny(exemptImages, image, LONGEST_IMAGE),
    )
    return exempt.length === 0
      ? NONE_EXEMPT
      : { names: sortNames(exempt.map(({ name }) => name)), skipped: 0 }
  }
  return findWithin({ steps: MOST_STEPS }, { exemptNames, exemptImages }, containers)
}

export const NONE_EXEMPT: ExemptContainers = { names: [], skipped: 0 }

type Exemptions = Pick<LimitRule, 'exemptNames' | 'exemptImages'>

/** What it takes to compare everything, alike or not: mostly so little that nothing needs to be kept in mind. */
function sumSteps({ exemptNames, exemptImages }: Exemptions, containers: readonly ContainerInfo[]): number {
  const [byName, byImage] = [sizeOf(exemptNames), sizeOf(exemptImages)]
  let steps = 0
  for (const { name, image } of containers) steps += byName * (name.length + 1) + byImage * (image.length + 1)
  return steps
}

const isAny = (patterns: readonly Pattern[], text: string, longest: number): boolean =>
  text.length <= longest && patterns.some(({ matches }) => matches(text))

const sortNames = (names: Iterable<string>): readonly string[] => [...new Set(names)].sort()

/** Containers that are alike are compared once. */
function findWithin(
  budget: { steps: number },
  { exemptNames, exemptImages }: Exemptions,
  containers: readonly ContainerInfo[],
): ExemptContainers {
  const isName = createMatcher(exemptNames, LONGEST_NAME, budget)
  const isImage = createMatcher(exemptImages, LONGEST_IMAGE, budget)
  const names: string[] = []
  let skipped = 0
  for (const { name, image } of containers) {
    const [byName, byImage] = [isName(name), isImage(image)]
    if (byName === true || byImage === true) names.push(name)
    else if (byName === undefined || byImage === undefined) skipped += 1
  }
  return { names: sortNames(names), skipped }
}

/** Whether any pattern matches a text, each distinct text tried once; undefined where that is more than the budget has left. */
function createMatcher(
  patterns: readonly Pattern[],
  longest: number,
  budget: { steps: number },
): (text: string) => boolean | undefined {
  if (patterns.length === 0) return () => false
  const size = sizeOf(patterns)
  const known = new Map<string, boolean>()
  const match = (text: string): boolean | undefined => {
    const cost = size * (text.length + 1)
    if (cost > budget.steps) return undefined
    budget.steps -= cost
    return patterns.some(({ matches }) => matches(text))
  }
  return (text) => {
    if (text.length > longest) return false
    const found = known.get(text) ?? match(text)
    if (found !== undefined) known.set(text, found)
    return found
  }
}
