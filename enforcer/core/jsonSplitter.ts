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

const codeOf = (sign: string): number => sign.charCodeAt(0)
const [QUOTE, BACKSLASH, COMMA, COLON] = [codeOf('"'), codeOf('\\'), codeOf(','), codeOf(':')]
const [OPEN_MAP, CLOSE_MAP, OPEN_LIST, CLOSE_LIST] = [codeOf('{'), codeOf('}'), codeOf('['), codeOf(']')]

/** Each sign once; those within strings and within kept parts cost a comparison or two. */
function scan(state: State, text: string): void {
  let from = 0
  for (let at = 0; at < text.length && state.fault === undefined; at++) {
    const code = text.charCodeAt(at)
    if (state.isString) {
      if (state.isEscaped) state.isEscaped = false
      else if (code === BACKSLASH) state.isEscaped = true
      else if (code === QUOTE) state.isString = false
    } else if (code === QUOTE) state.isString = true
    else {
      const turn = TURNS.get(code)
      if (turn?.isCut(state) === true) {
        keep(state, text.slice(from, at))
        turn.cut(state)
        from = at + 1
        state.kept = ''
      }
      state.depth += turn?.depth ?? 0
    }
  }
  keep(state, text.slice(from))
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

const TURNS: ReadonlyMap<number, Turn> = new Map([
  [OPEN_MAP, OPEN],
  [OPEN_LIST, OPEN_ITEMS],
  [CLOSE_MAP, CLOSE],
  [CLOSE_LIST, CLOSE],
  [COMMA, NEXT],
  [COLON, VALUE],
])

function emit({ mode, name, kept, options }: State): void {
  if ((mode === 'member' || mode === 'item') && kept.trim() !== '') options.onPart(name, kept)
}
