import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  duration,
  list,
  oneOf,
  optionalText,
  port,
  text,
  toggle,
  wholeNumber,
} from '../../../settings/option.ts'
import { formatHelp, readSettings } from '../../../settings/settings.ts'

const TABLE = {
  cert: text({ flag: 'tls-cert', env: 'TLS_CERT', placeholder: 'FILE', help: 'Certificate, PEM' }),
  port: port({ flag: 'port', env: 'PORT', help: 'Port to serve on', default: 8443 }),
  delay: duration({ flag: 'delay', env: 'DELAY', help: 'How long', default: '10s' }),
  level: oneOf(['debug', 'info'], {
    flag: 'log-level',
    env: 'LOG_LEVEL',
    help: 'What to log',
    default: 'info',
  }),
  names: list({ flag: 'dns', env: 'DNS', help: 'Names', default: [] }),
  once: toggle({ flag: 'once', env: 'ONCE', help: 'Apply and leave' }),
  file: optionalText({ flag: 'file', env: 'A_FILE', placeholder: 'FILE', help: 'A file' }),
  plain: text({ flag: 'plain', help: 'Has no variable', default: 'x' }),
}

const GOOD = ['--tls-cert', 'a.pem']
const DEFAULTS = {
  cert: 'a.pem',
  port: 8443,
  delay: 10_000,
  level: 'info',
  names: [],
  once: false,
  file: undefined,
  plain: 'x',
}

const read = (argv: readonly string[], env: Record<string, string> = {}) => readSettings(TABLE, { argv, env })
const problemsOf = (argv: readonly string[], env: Record<string, string> = {}): readonly string[] => {
  const got = read(argv, env)
  return got.kind === 'problems' ? got.problems : []
}

describe('readSettings', () => {
  test('defaults stand where nothing is given', () => {
    expect(read(GOOD)).toEqual({ kind: 'settings', settings: DEFAULTS, operands: [] })
  })

  test.each([
    [['--port', '1'], { port: 1 }],
    [['--port=1'], { port: 1 }],
    [['-port', '1'], { port: 1 }],
    [['--port', '1', '--port', '2'], { port: 2 }],
    [['--port', '0'], { port: 0 }],
    [['--delay', '1m30s'], { delay: 90_000 }],
    [['--delay', '0'], { delay: 0 }],
    [['--log-level', 'debug'], { level: 'debug' }],
    [['--dns', 'a, b,', '--dns=c'], { names: ['a', 'b', 'c'] }],
    [['--once'], { once: true }],
    [['--once=false'], { once: false }],
    [['--once=TRUE'], { once: true }],
    [['--once=1'], { once: true }],
    [['--delay', '596h'], { delay: 596 * 3_600_000 }],
    [['--file', 'f'], { file: 'f' }],
    [['--file='], { file: undefined }],
    [['--plain=--a=b\nc'], { plain: '--a=b\nc' }],
    [['--plain', '-'], { plain: '-' }],
    [['--plain', '-1'], { plain: '-1' }],
  ])('%j', (argv, changed) => {
    expect(read([...GOOD, ...argv])).toEqual({
      kind: 'settings',
      settings: { ...DEFAULTS, ...changed },
      operands: [],
    })
  })

  test.each([
    [{ PORT: '1' }, { port: 1 }],
    [{ PORT: '' }, {}],
    [{ DNS: 'a,b' }, { names: ['a', 'b'] }],
    [{ ONCE: 'yes' }, { once: true }],
    [{ ONCE: '0' }, { once: false }],
    [{ ONCE: '' }, {}],
    [{ plain: 'y', PLAIN: 'y' }, {}],
  ])('the environment %j', (env, changed) => {
    expect(read(GOOD, env)).toEqual({ kind: 'settings', settings: { ...DEFAULTS, ...changed }, operands: [] })
  })

  test('a flag beats its variable, even a faulty one', () => {
    expect(read([...GOOD, '--port', '1'], { PORT: 'many', TLS_CERT: 'b.pem' })).toMatchObject({
      settings: { port: 1, cert: 'a.pem' },
    })
  })

  test('every problem at once, each by the name under which it was given', () => {
    expect(
      problemsOf(['--port', '70000', '--log-level=loud', '--nope', '--once=maybe'], { DELAY: 'soon' }),
    ).toEqual([
      'unknown option --nope: see --help',
      '--tls-cert (or TLS_CERT) is required: Certificate, PEM',
      '--port "70000" is not a whole number from 0 to 65535',
      'DELAY "soon" is not a duration such as 10s, 1m30s or 500ms',
      '--log-level "loud" is not one of debug, info',
      '--once "maybe" is neither true nor false',
    ])
  })

  test.each([
    [['--port'], '--port lacks its PORT'],
    [['--port', '--once'], '--port lacks its PORT'],
    [['--port='], '--port "" is not a whole number from 0 to 65535'],
    [['--port=-1'], '--port "-1" is not a whole number from 0 to 65535'],
    [['--port=1e3'], '--port "1e3" is not a whole number from 0 to 65535'],
    [['--port=80.0'], '--port "80.0" is not a whole number from 0 to 65535'],
    [[`--port=${'9'.repeat(400)}`], `--port "${'9'.repeat(400)}" is not a whole number from 0 to 65535`],
    [['--plain='], '--plain "" is empty'],
    [['--delay=-1s'], '--delay "-1s" is not a duration such as 10s, 1m30s or 500ms'],
    [['--delay=1d'], '--delay "1d" is not a duration such as 10s, 1m30s or 500ms'],
    [['--delay=10s '], '--delay "10s " is not a duration such as 10s, 1m30s or 500ms'],
    [['--delay=597h'], '--delay "597h" is longer than 596h, the most that a timer can wait'],
    [['--PORT=1'], 'unknown option --PORT: see --help'],
    [['--=1'], 'unknown option --: see --help'],
    [['-=1'], 'unknown option -: see --help'],
    [['--__proto__=1'], 'unknown option --__proto__: see --help'],
    [['x', 'y'], 'unexpected argument "x": see --help'],
    [['--once', 'false'], 'unexpected argument "false": see --help'],
    [['--', '--port'], 'unexpected argument "--port": see --help'],
  ])('%j is refused', (argv, problem) => {
    expect(problemsOf([...GOOD, ...argv])).toEqual([problem])
  })

  test('a required setting without a variable is named by its flag', () => {
    expect(readSettings({ out: text({ flag: 'out', help: 'Where' }) }, { argv: [], env: {} })).toEqual({
      kind: 'problems',
      problems: ['--out is required: Where'],
      partial: {},
    })
    expect(readSettings({ out: list({ flag: 'out', help: 'Where' }) }, { argv: [], env: {} })).toEqual({
      kind: 'problems',
      problems: ['--out is required: Where'],
      partial: {},
    })
    expect(
      readSettings({ wait: duration({ flag: 'wait', help: 'How long' }) }, { argv: [], env: {} }),
    ).toEqual({
      kind: 'problems',
      problems: ['--wait is required: How long'],
      partial: {},
    })
  })

  test('operands stand where they are asked for, and behind "--" as they are', () => {
    const ask = (argv: readonly string[], operands: number) =>
      readSettings({ once: TABLE.once }, { argv, env: {} }, operands)
    expect(ask(['a', '--once', 'b'], 2)).toEqual({
      kind: 'settings',
      settings: { once: true },
      operands: ['a', 'b'],
    })
    expect(ask(['--once', '--', '--once', '-'], 2)).toMatchObject({ operands: ['--once', '-'] })
    expect(ask(['a', 'b'], 1)).toEqual({
      kind: 'problems',
      problems: ['unexpected argument "b": see --help'],
      partial: { once: false },
    })
    expect(ask(['a', 'b'], Infinity)).toMatchObject({ operands: ['a', 'b'] })
  })

  test.each([[['--help']], [['-h']], [['--port', 'x', '--help']], [['--nope', '--help']]])(
    '%j asks for help, whatever else is wrong',
    (argv) => {
      expect(read(argv)).toEqual({ kind: 'help' })
    },
  )

  test('no arguments make it throw', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--port', '--once', '--dns=a', '--', '-', '--tls-cert=x', '1'),
    )
    fc.assert(
      fc.property(
        fc.array(word),
        fc.dictionary(fc.constantFrom('PORT', 'ONCE', 'DELAY'), fc.string()),
        (argv, env) => {
          const got = read(argv, env)
          expect(got.kind === 'problems' ? got.problems.length : 1).toBeGreaterThan(0)
        },
      ),
    )
  })
})

test('the help tells flag, value, variable, default, and what is required', () => {
  const { cert, port, once, file, plain } = TABLE
  expect(
    formatHelp('usage: thing [options]\n', { cert, port, once, file, plain }),
  ).toBe(`usage: thing [options]

Options (a flag beats its environment variable):
  --tls-cert FILE
      Certificate, PEM [env TLS_CERT; required]
  --port PORT
      Port to serve on [env PORT; default 8443]
  --once
      Apply and leave [env ONCE]
  --file FILE
      A file [env A_FILE]
  --plain TEXT
      Has no variable [default x]
  --help
      Print this and leave
`)
})

test('an option without variable and default has no notes', () => {
  const help = formatHelp('x', { file: optionalText({ flag: 'file', help: 'A file' }) })
  expect(help).toContain('  --file TEXT\n      A file\n')
})

test('a switch may be on by default', () => {
  const table = { metrics: toggle({ flag: 'metrics', help: 'Serve metrics', default: true }) }
  expect(readSettings(table, { argv: [], env: {} })).toMatchObject({ settings: { metrics: true } })
  expect(readSettings(table, { argv: ['--metrics=no'], env: {} })).toMatchObject({
    settings: { metrics: false },
  })
  expect(formatHelp('x', table)).toContain('Serve metrics [default true]')
})

test('a default that is no duration is a mistake in the program', () => {
  expect(() => duration({ flag: 'wait', help: 'How long', default: 'soon' })).toThrow(
    'the default of --wait is no duration: soon',
  )
})

test('an option judges no text at all as it judges an empty one', () => {
  expect(TABLE.once.parse([])).toEqual({ value: true })
  expect(TABLE.port.parse([])).toBe('is not a whole number from 0 to 65535')
})

test('what is right is told beside what is wrong, so that problems in what it names can be found too', () => {
  const table = { once: TABLE.once, port: TABLE.port }
  expect(readSettings(table, { argv: ['--nope', '--once', '--port', 'x'], env: {} })).toMatchObject({
    kind: 'problems',
    partial: { once: true },
  })
})

test('whole numbers may be bounded from below', () => {
  const table = { n: wholeNumber({ min: 2, max: 5 }, { flag: 'n', help: 'N' }) }
  expect(readSettings(table, { argv: ['--n', '1'], env: {} })).toEqual({
    kind: 'problems',
    problems: ['--n "1" is not a whole number from 2 to 5'],
    partial: {},
  })
  expect(readSettings(table, { argv: ['--n', '05'], env: {} })).toMatchObject({ settings: { n: 5 } })
})

describe('short names', () => {
  const table = {
    namespace: text({ flag: 'namespace', short: 'n', placeholder: 'NAME', help: 'Which one', default: '' }),
    quiet: toggle({ flag: 'quiet', short: 'q', help: 'Say less' }),
  }

  test.each([
    [['-n', 'a', '-q'], { namespace: 'a', quiet: true }],
    [['-n=a', '-q=no'], { namespace: 'a', quiet: false }],
    [['--namespace', 'a', '--quiet'], { namespace: 'a', quiet: true }],
  ])('%j', (argv, settings) => {
    expect(readSettings(table, { argv, env: {} })).toEqual({ kind: 'settings', settings, operands: [] })
  })

  test('stand before the long ones in the help', () => {
    expect(formatHelp('usage', table)).toContain('  -n, --namespace NAME\n')
    expect(formatHelp('usage', table)).toContain('  -q, --quiet\n')
  })

  test('an option that is unknown is named without its value', () => {
    expect(readSettings(table, { argv: ['-x=secret\nof two lines'], env: {} })).toMatchObject({
      kind: 'problems',
      problems: ['unknown option -x: see --help'],
    })
  })
})
