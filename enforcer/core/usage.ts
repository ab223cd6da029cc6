/** What cgroups have moved, and how long they waited for it, as the kernel counts. */
export interface Usage {
  readonly readBytes: bigint
  readonly writtenBytes: bigint
  readonly reads: bigint
  readonly writes: bigint
}

/** v2's io.stat: `259:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`. Source: Linux cgroup-v2.rst, IO Interface Files. */
export function parseIoStat(text: string, device: string): Usage | undefined {
  const line = findLine(text, device)
  if (line === undefined) return undefined
  const values = new Map([...line.matchAll(/(\w+)=(\d+)/g)].map(([, key, value]) => [key, value]))
  const read = (key: string): bigint => BigInt(values.get(key) ?? 0)
  return {
    readBytes: read('rbytes'),
    writtenBytes: read('wbytes'),
    reads: read('rios'),
    writes: read('wios'),
  }
}

const findLine = (text: string, device: string): string | undefined =>
  text.split('\n').find((line) => line.startsWith(`${device} `))

/** v1's files, of the container alone and of all that is nested in it. */
export const SERVICED = {
  bytes: 'blkio.throttle.io_service_bytes_recursive',
  operations: 'blkio.throttle.io_serviced_recursive',
} as const

/** `8:0 Read 12`, a line each for Read, Write, ... Source: Linux blkio-controller.rst. */
export function parseServiced(bytes: string, operations: string, device: string): Usage | undefined {
  if (findLine(bytes, device) === undefined && findLine(operations, device) === undefined) return undefined
  const read = (text: string, kind: string): bigint =>
    BigInt(/^\S+ \S+ (\d+)$/.exec(findLine(text, `${device} ${kind}`) ?? '')?.[1] ?? 0)
  return {
    readBytes: read(bytes, 'Read'),
    writtenBytes: read(bytes, 'Write'),
    reads: read(operations, 'Read'),
    writes: read(operations, 'Write'),
  }
}

/** Seconds in which some, or all, tasks waited for IO. */
export interface Pressure {
  readonly some: number
  readonly full: number
}

/** v2's io.pressure: `some avg10=0.00 avg60=0.00 avg300=0.00 total=1234` (microseconds). Source: Linux psi.rst. */
export function parsePressure(text: string): Pressure | undefined {
  const [some, full] = [SOME, FULL].map((pattern) => pattern.exec(text)?.[1])
  return some === undefined || full === undefined
    ? undefined
    : { some: Number(some) / 1e6, full: Number(full) / 1e6 }
}

const SOME = /^some .*\btotal=(\d+)/m
const FULL = /^full .*\btotal=(\d+)/m
