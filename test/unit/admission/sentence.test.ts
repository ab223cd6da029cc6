import { describe, expect, it } from 'vitest'
import { cut, toPrintable, toWarnings } from '../../../webhook/admission/sentence.ts'

describe('texts for the API server', () => {
  it.each([
    ['plain ~ text', 'plain ~ text'],
    ['two\nlines\tand\r\na tab', 'two lines and  a tab'],
    ['ärger', '\\u00e4rger'],
    ['\u0000\u001b[31m\u007f', '\\u0000\\u001b[31m\\u007f'],
    ['💾 disk', '\\u{1f4be} disk'],
    ['\ud800', '\\ud800'],
    ['\uffff', '\\uffff'],
  ])('%j is shown as %j', (text, shown) => {
    expect(toPrintable(text)).toBe(shown)
  })

  it('are cut with dots, never in silence', () => {
    expect(cut('abcdef', 6)).toBe('abcdef')
    expect(cut('abcdefg', 6)).toBe('abc...')
    expect(toWarnings(['x'.repeat(300)])[0]).toHaveLength(256)
  })

  it('are told once, in order, sixteen at most', () => {
    expect(toWarnings(['b', 'a', 'b'])).toEqual(['iops-limit: b', 'iops-limit: a'])
    const sixteen = Array.from({ length: 16 }, (_, index) => `n${index}`)
    expect(toWarnings(sixteen)).toEqual(sixteen.map((text) => `iops-limit: ${text}`))
    const many = toWarnings(Array.from({ length: 20 }, (_, index) => `n${index}`))
    expect(many).toHaveLength(16)
    expect([many[14], many[15]]).toEqual(['iops-limit: n14', 'iops-limit: and 5 more warnings'])
  })
})
