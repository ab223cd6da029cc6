import { type Document, parseAllDocuments } from 'yaml'
import { bad, messageOf, ok, type Problem, type Result } from '../../contract/problem.ts'

/** Every document of a YAML text (JSON is YAML too); empty ones are left out. Keys that stand twice are refused. */
export function parseDocuments(text: string): Result<readonly unknown[]> {
  try {
    const documents = parseAllDocuments(text, {
      intAsBigInt: true,
      merge: true,
      stringKeys: true,
      prettyErrors: true,
    })
    const problems = documents.flatMap((document) =>
      document.errors.map(({ message }) => syntaxProblem(message)),
    )
    return problems.length > 0
      ? bad(...problems)
      : ok(documents.filter(isFilled).map((document): unknown => document.toJS()))
  } catch (error) {
    // Past the depth that the stack bears, or aliases that unfold without end.
    return bad(syntaxProblem(messageOf(error)))
  }
}

const isFilled = ({ contents }: Document.Parsed): boolean => contents !== null && !isNullScalar(contents)

const isNullScalar = (contents: object): boolean => 'value' in contents && contents.value === null

const syntaxProblem = (message: string): Problem => ({
  field: '',
  reason: `is not YAML: ${message.replace(/:?\n[\s\S]*$/, '')}`,
  cure: 'mend the syntax there',
})
