/**
 * A long JSON object cut into parts that are parsed one by one as it comes, so that no single parse holds up the program:
 * the items of its lists, and whole members. What lies outside of them is passed over, and is not checked to be JSON.
 */
export interface SplitterOptions {
  /** Members of the outermost object that are wanted whole. */
  readonly members: readonly string[]
  /** Members that are lists, wanted item by item. */
  readonly lists: readonly string[]
  /** Longest part, in UTF-16 units. */
  readonly longest: number
  readonly onPart: (key: string, text: string) => void
}

export interface JsonSplitter {
  /** The next piece of the text. */
  readonly feed: (text: string) => void
  /** What is wrong with the whole, as the end of a sentence; undefined: it began and ended as an object. */
  readonly findFault: () => string | undefined
}

/** What is being read, and so kept until it ends: a member's name, a member, an item of a list; or nothing. */
type Mode = 'name' | 'member' | 'item' | 'nothing'

interface State {
  readonly options: SplitterOptions
  /** How many brackets are open. */
  depth: number
  isString: boolean
  isEscaped: boolean
  mode: Mode
  /** Name of the outermost object's member that is being read. */
  name: string
  kept: string
  fault: string | undefined
}

export function createJsonSplitter(options: SplitterOptions): JsonSplitter {
  const state: State = {
    ...{ options, depth: 0, isString: false, isEscaped: false },
    ...{ mode: 'nothing', name: '', kept: '', fault: undefined },
  }
  let hasBegun = false
  return {
    feed: (text) => {
      if (!hasBegun && text.trim() === '') return
      if (!hasBegun && !text.trimStart().startsWith('{')) state.fault = 'is no JSON object'
      hasBegun = true
      scan(state, text)
    },
    findFault: () => state.fault ?? (hasBegun && state.depth === 0 ? undefined : 'ends before its end'),
  }
}

/** Within a string; deep in a part or in what nobody wants; and where parts begin and end. */
const SIGNS = {
  string: /[^"\\]*["\\]/y,
  deep: upToSign(String.raw`{}[\]`),
  shallow: upToSign(String.raw`{}[\],:`),
} as const

/** Up to the next of these signs, and that. Strings that are whole here are passed over; of another one its quote is the sign. */
function upToSign(signs: string): RegExp {
  const between = `[^"${signs}]*`
  const whole = String.raw`"[^"\\]*(?:\\[^][^"\\]*)*"`
  return new RegExp(`${between}(?:${whole}${between})*["${signs}]`, 'y')
}

/** From one sign that matters to the next: what lies between costs next to nothing. */
function scan(state: State, text: string): void {
  let from = 0
  for (let at = findSign(state, text, 0); at !== -1; at = findSign(state, text, at + 1)) {
    const sign = text.charAt(at)
    const turn = TURNS.get(sign)
    if (state.isString) readInString(state, sign)
    // Of the signs only the quote turns nothing.
    else if (turn === undefined) state.isString = true
    else {
      if (turn.isCut(state)) {
        keep(state, text.slice(from, at))
        turn.cut(state)
        from = at + 1
        state.kept = ''
      }
      state.depth += turn.depth
    }
  }
  keep(state, text.slice(from))
}

/** -1 where there is none, or no need to look. */
function findSign(state: State, text: string, from: number): number {
  if (state.fault !== undefined) return -1
  const pattern = state.isString ? SIGNS.string : state.depth > 2 ? SIGNS.deep : SIGNS.shallow
  // What a backslash stands before is no sign, whatever it is; it may come with the next piece.
  if (state.isEscaped) return from < text.length ? from : -1
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex - 1 : -1
}

function readInString(state: State, sign: string): void {
  if (state.isEscaped) state.isEscaped = false
  else if (sign === '\\') state.isEscaped = true
  else state.isString = false
}

function keep(state: State, piece: string): void {
  if (state.mode === 'nothing') return
  state.kept += piece
  const { longest } = state.options
  if (state.kept.length > longest) state.fault = `has a part longer than ${longest} characters`
}

/** What one sign outside of strings does. */
interface Turn {
  readonly depth: -1 | 0 | 1
  /** It ends what is being read. */
  readonly isCut: (state: State) => boolean
  readonly cut: (state: State) => void
}

const isAtItem = ({ depth, mode }: State): boolean => depth === 2 && mode === 'item'

const OPEN: Turn = {
  depth: 1,
  isCut: ({ depth }) => depth === 0,
  cut: (state) => {
    state.mode = 'name'
  },
}

const OPEN_ITEMS: Turn = {
  depth: 1,
  isCut: ({ depth, mode, name, options }) =>
    depth === 1 && mode === 'nothing' && options.lists.includes(name),
  cut: (state) => {
    state.mode = 'item'
  },
}

const CLOSE: Turn = {
  depth: -1,
  isCut: (state) => state.depth === 1 || isAtItem(state),
  cut: (state) => {
    emit(state)
    state.mode = 'nothing'
  },
}

const NEXT: Turn = {
  depth: 0,
  isCut: (state) => state.depth === 1 || isAtItem(state),
  cut: (state) => {
    emit(state)
    if (state.depth === 1) state.mode = 'name'
  },
}

const VALUE: Turn = {
  depth: 0,
  isCut: ({ depth, mode }) => depth === 1 && mode === 'name',
  cut: (state) => {
    state.name = state.kept.trim().slice(1, -1)
    state.mode = state.options.members.includes(state.name) ? 'member' : 'nothing'
  },
}

const TURNS: ReadonlyMap<string, Turn> = new Map([
  ['{', OPEN],
  ['[', OPEN_ITEMS],
  ['}', CLOSE],
  [']', CLOSE],
  [',', NEXT],
  [':', VALUE],
])

function emit({ mode, name, kept, options }: State): void {
  if ((mode === 'member' || mode === 'item') && kept.trim() !== '') options.onPart(name, kept)
}
