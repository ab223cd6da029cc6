import { posix } from 'node:path'
import ts from 'typescript'
import { findRoom, type Room } from './rooms.ts'

/** What a source file imports that its room may not, one sentence each. `path` is relative to the project. */
export function findBreaches(path: string, source: string): readonly string[] {
  const room = findRoom(path)
  if (room === undefined) return [`${path} is in no room: add one to test/house/rooms.ts, or move the file`]
  const breaches = findImports(source).filter((specifier) => !isAllowed(specifier, path, room))
  return [
    ...breaches.map((specifier) => `${path} imports ${specifier}, and ${room.folder} may not`),
    ...findComputedImports(source).map((code) => `${path} computes what it imports: ${code}`),
  ]
}

/** Every module named in the source: imports and re-exports, of types too, `import()`, `require()`, references. */
function findImports(source: string): readonly string[] {
  const { importedFiles, referencedFiles, typeReferenceDirectives } = ts.preProcessFile(source, true, true)
  return [...importedFiles, ...referencedFiles, ...typeReferenceDirectives].map(({ fileName }) => fileName)
}

function isAllowed(specifier: string, path: string, room: Room): boolean {
  if (specifier.startsWith('node:')) return room.effects
  if (!specifier.startsWith('.')) return room.packages.includes(packageOf(specifier))
  const target = findRoom(posix.join(posix.dirname(path), specifier))
  return target === room || (target !== undefined && room.rooms.includes(target.folder))
}

/** `@scope/name/part` is of `@scope/name`, `name/part` of `name`. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

/** `import(expression)`: no wall can hold what is known only at run time. */
function findComputedImports(source: string): readonly string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [module] = node.arguments
      if (module === undefined || !ts.isStringLiteralLike(module)) found.push(node.getText())
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true))
  return found
}
