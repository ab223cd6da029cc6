import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

const STDOUT = new URL('../../../webhook/server/stdout.ts', import.meta.url).href

/** A program that logs `count` lines of half a kilobyte, and then does what `then` says. */
const programOf = (count: number, then: string): string => `
  const { openStdout } = await import(${JSON.stringify(STDOUT)})
  const stdout = openStdout()
  for (let index = 0; index < ${count}; index++) stdout.write('line ' + index + ' ' + 'ü'.repeat(250) + '\\n')
  ${then}`

const linesOf = (output: string): readonly string[] =>
  output
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ ü{250}$/, ''))

const numbered = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `line ${index}`)

describe('openStdout', () => {
  it.each([
    ['ends', ''],
    ['leaves', 'process.exit(1)'],
    ['fails with an error that nobody takes', "throw new Error('nobody takes it')"],
    ['fails a moment later', "setTimeout(() => { throw new Error('nobody takes it') }, 1)"],
  ])('loses no line of a program that %s', (_, then) => {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', programOf(1000, then)], {
      encoding: 'utf8',
    })
    expect(linesOf(stdout)).toEqual(numbered(1000))
  })

  it('loses none where who reads is slow', () => {
    const script = '"$1" --input-type=module -e "$2" | { sleep 0.3; cat; }'
    const output = execFileSync('sh', ['-c', script, 'sh', process.execPath, programOf(1000, '')], {
      encoding: 'utf8',
    })
    expect(linesOf(output)).toEqual(numbered(1000))
  })

  it('lets a program end well whose reader has gone', () => {
    const then = "setTimeout(() => { stdout.write('more\\\\n'); process.exitCode = 3 }, 100)"
    const script = '{ "$1" --input-type=module -e "$2"; echo "code $?" >&2; } | true'
    const { stderr } = spawnSync('sh', ['-c', script, 'sh', process.execPath, programOf(10, then)], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('code 3\n')
  })
})
