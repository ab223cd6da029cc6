import { DIMENSION_NAMES } from '../../../contract/keys.ts'
import { type Dimension, isIopsDimension } from '../../../contract/limits.ts'

const PREFIXES = 'KMGTPE'

/** `write-iops 2310/s`, `read-bps 117.7Mi/s`: for people to read, so rounded. */
export function formatRate(dimension: Dimension, rate: number): string {
  const { own } = DIMENSION_NAMES[dimension]
  if (isIopsDimension(dimension)) return `${own} ${Math.round(rate)}/s`
  const power = Math.min(PREFIXES.length, Math.floor(Math.log2(Math.max(1, rate)) / 10))
  const suffix = power === 0 ? '' : `${PREFIXES.charAt(power - 1)}i`
  return `${own} ${Math.round((rate / 1024 ** power) * 10) / 10}${suffix}/s`
}
