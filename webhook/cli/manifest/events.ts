import { type Event, parseEvents, YAMLException } from 'js-yaml'
import { lineStart } from './layout.ts'

export interface Events {
  readonly events: Event[]
  /** What they are of: as long as the text, and each thing stands where it does there. */
  readonly source: string
}

/** Deeper than any object, and not so deep that the stack ends. */
const DEEPEST = 500
/** Each costs a reading of the document. */
const MOST_JOINS = 100

/**
 * The events of a text. A closing bracket below its key, which YAML 1.2 (8.2.1) has indented further, is read as Kubernetes'
 * parser reads it: people write that. Throws a YAMLException.
 */
export function readEvents(text: string): Events {
  let source = text
  for (let joins = 0; ; joins += 1) {
    try {
      return { events: parseEvents(source, { maxDepth: DEEPEST }), source }
    } catch (error) {
      const joined = joins < MOST_JOINS ? joinLine(source, error) : undefined
      if (joined === undefined) throw error
      source = joined
    }
  }
}

/** The line that lacks indentation put behind the one before it: between brackets a break is as good as a space. */
function joinLine(source: string, error: unknown): string | undefined {
  if (!(error instanceof YAMLException) || error.reason !== 'deficient indentation') return undefined
  const end = lineStart(source, error.mark?.position ?? 0)
  const start = lineStart(source, end - 1)
  const [, code, comment = ''] = LINE.exec(source.slice(start, end)) ?? []
  if (code === undefined) return undefined
  return source.slice(0, start) + code + ' '.repeat(comment.length) + source.slice(end)
}

/** What stands on a line, strings whole; then its comment and its break. */
const LINE = /^((?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|(?<=\S)#|[^"'#\r\n])*)((?:#[^\n]*)?\r?\n)$/
