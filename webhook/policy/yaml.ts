import { type Document, isScalar, parseAllDocuments, visit } from 'yaml'
import { bad, messageOf, ok, type Problem, type Result } from '../../contract/problem.ts'
import { parseQuantity, wholeNumber } from '../../contract/quantity.ts'

/**
 * Every document of a YAML text (JSON is YAML too); empty ones are left out. Keys that stand twice, unknown tags, and numbers that
 * cannot be kept exactly are refused.
 */
export function parseDocuments(text: string): Result<readonly unknown[]> {
  try {
    const documents = parseAllDocuments(text, {
      intAsBigInt: true,
      merge: true,
      resolveKnownTags: false,
      stringKeys: true,
      prettyErrors: true,
    })
    const problems = documents.flatMap(findProblems)
    return problems.length > 0
      ? bad(...problems)
      : ok(documents.filter(isFilled).map((document): unknown => document.toJS()))
  } catch (error) {
    // Past the depth that the stack bears, or aliases that unfold without end.
    return bad(syntaxProblem(messageOf(error)))
  }
}

/** What is but a warning to the parser is a tag or directive that it passed over. */
const findProblems = (document: Document.Parsed): readonly Problem[] => [
  ...document.errors.map(({ message }) => syntaxProblem(message)),
  ...document.warnings.map(({ message }) => ({
    field: '',
    reason: `holds what is not known here: ${firstLine(message)}`,
    cure: 'remove it',
  })),
  ...findInexact(document),
]

function findInexact(document: Document.Parsed): readonly Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value !== 'number' || isExact(node.value, String(node.source))) return
      problems.push({
        field: '',
        value: String(node.source),
        reason: 'cannot be kept exactly as a number',
        cure: 'write it without a fraction, or in quotes',
      })
    },
  })
  return problems
}

/** Fractions are refused wherever numbers are read: only whole numbers need to be what was written. */
function isExact(value: number, source: string): boolean {
  if (!Number.isInteger(value)) return true
  const quantity = parseQuantity(source)
  return quantity !== undefined && wholeNumber(quantity) === BigInt(value)
}

const isFilled = ({ contents }: Document.Parsed): boolean =>
  contents !== null && !(isScalar(contents) && contents.value === null)

const syntaxProblem = (message: string): Problem => ({
  field: '',
  reason: `is not YAML: ${firstLine(message)}`,
  cure: 'mend the syntax there',
})

const firstLine = (message: string): string => message.replace(/:?\n[\s\S]*$/, '')
