/** Small mistakes that could be made in a source text, one at a time. Pure. */
import ts from 'typescript'

export interface Mutant {
  /** Offsets into the text. */
  readonly start: number
  readonly end: number
  readonly replacement: string
  /** From 1. */
  readonly line: number
}

type Replace = (node: ts.Node, replacement: string) => void

/** Types, imports and the texts of messages' cures are no behaviour; everything else is. */
export function findMutants(path: string, text: string): readonly Mutant[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const mutants: Mutant[] = []
  const replace: Replace = (node, replacement) => {
    const start = node.getStart(source)
    const line = source.getLineAndCharacterOfPosition(start).line + 1
    mutants.push({ start, end: node.getEnd(), replacement, line })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return
    mutate(node, replace)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return mutants
}

function mutate(node: ts.Node, replace: Replace): void {
  if (ts.isBinaryExpression(node)) mutateBinary(node, replace)
  else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    replace(node, node.operand.getText())
  else if (ts.isConditionalExpression(node)) negate(node.condition, replace)
  else if (ts.isIfStatement(node)) {
    replace(node.expression, 'true')
    replace(node.expression, 'false')
  } else if (ts.isCallExpression(node)) mutateCall(node, replace)
  else if (ts.isExpressionStatement(node)) replace(node, ';')
  else mutateLiteral(node, replace)
}

const SWAPS: ReadonlyMap<ts.SyntaxKind, readonly string[]> = new Map([
  [ts.SyntaxKind.LessThanToken, ['<=', '>=']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [ts.SyntaxKind.GreaterThanToken, ['>=', '<=']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [ts.SyntaxKind.AmpersandAmpersandToken, ['||']],
  [ts.SyntaxKind.BarBarToken, ['&&']],
  [ts.SyntaxKind.PlusToken, ['-']],
  [ts.SyntaxKind.MinusToken, ['+']],
  [ts.SyntaxKind.AsteriskToken, ['/']],
  [ts.SyntaxKind.SlashToken, ['*']],
  [ts.SyntaxKind.PercentToken, ['*']],
  [ts.SyntaxKind.PlusEqualsToken, ['-=']],
  [ts.SyntaxKind.MinusEqualsToken, ['+=']],
])

function mutateBinary({ left, operatorToken, right }: ts.BinaryExpression, replace: Replace): void {
  for (const swap of SWAPS.get(operatorToken.kind) ?? []) replace(operatorToken, swap)
  if (operatorToken.kind !== ts.SyntaxKind.QuestionQuestionToken) return
  replace(operatorToken, '&&')
  if (!ts.isLiteralExpression(right)) replace(left, 'undefined')
}

const negate = (condition: ts.Expression, replace: Replace): void =>
  replace(condition, `!(${condition.getText()})`)

const CALLS: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  min: 'max',
  max: 'min',
  find: 'findLast',
  toSorted: 'slice',
}

function mutateCall({ expression, arguments: given }: ts.CallExpression, replace: Replace): void {
  if (!ts.isPropertyAccessExpression(expression)) return
  const { name } = expression
  const other = Object.hasOwn(CALLS, name.text) ? CALLS[name.text] : undefined
  if (other !== undefined) replace(name, other)
  const [predicate] = given
  if (name.text === 'filter' && predicate !== undefined) replace(predicate, '() => true')
}

function mutateLiteral(node: ts.Node, replace: Replace): void {
  if (node.kind === ts.SyntaxKind.TrueKeyword) replace(node, 'false')
  else if (node.kind === ts.SyntaxKind.FalseKeyword) replace(node, 'true')
  else if (ts.isNumericLiteral(node)) replace(node, String(Number(node.text) + 1))
  else if (ts.isBigIntLiteral(node)) replace(node, `(${node.text} + 1n)`)
  else if (ts.isStringLiteral(node) && !ts.isLiteralTypeNode(node.parent))
    replace(node, node.text === '' ? "'mutant'" : "''")
  else if (ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node)) replace(node, "''")
  else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0 && !isConst(node))
    replace(node, '[]')
}

const isConst = ({ parent }: ts.Node): boolean =>
  ts.isAsExpression(parent) || ts.isSatisfiesExpression(parent)
