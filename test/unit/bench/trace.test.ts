import { describe, expect, it } from 'vitest'
import { readTrace } from '../../../bench/cluster/trace.ts'
import { countInTime } from '../../../bench/latency.ts'

const POD =
  '/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod9ee69714_cc1e_4788_bb0b_71792ba23e98.slice'
const SANDBOX = `${POD}/cri-containerd-026c0e73104e7b88e84955087ffe2b5bd19242b0c689895b68f38b32c9668375.scope`
const CONTAINER = `${POD}/cri-containerd-e8d9bbc3106c13755f0f4458f321e5e2acac763e4751fc4b1a5f553964be0704.scope`

/** As Linux 6.1 prints it. */
const traceOf = (lines: readonly string[], written = lines.length): string => `# tracer: nop
#
# entries-in-buffer/entries-written: ${lines.length}/${written}   #P:2
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
${lines.join('\n')}
`
const mkdir = (seconds: string, path: string): string =>
  `         systemd-1       [000] d..1.  ${seconds}: cgroup_mkdir: root=0 id=35003 level=4 path=${path}`
const open = (seconds: string, path: string, task = 16033): string =>
  `      MainThread-${task}   [001] .....  ${seconds}: opened: (do_sys_openat2+0x0/0x170) path="/sys/fs/cgroup${path}/io.max"`
const limit = (seconds: string, answer: number, task = 16033): string =>
  `      MainThread-${task}   [000] .....  ${seconds}: limited: (kernfs_fop_write_iter+0x12e/0x200 <- tg_set_limit) answer=${answer}`

describe("the kernel's trace", () => {
  it('tells when a cgroup came, and when its first limit stood', () => {
    const text = traceOf([
      mkdir('2633.738878', '/system.slice/starts.service'),
      mkdir('2637.750000', POD),
      open('2637.924203', POD),
      mkdir('2640.125000', SANDBOX),
      mkdir('2641.000000', CONTAINER),
      open('2641.005255', CONTAINER),
      open('2641.005526', POD),
      open('2641.010976', CONTAINER),
      limit('2641.015625', 43),
      limit('2642.000000', 43),
    ])
    expect(readTrace(text)).toEqual([
      { kind: 'pod', path: POD, created: 2_637_750, limited: undefined },
      { kind: 'container', path: SANDBOX, created: 2_640_125, limited: undefined },
      {
        kind: 'container',
        path: CONTAINER,
        created: 2_641_000,
        limited: 2_641_015.625,
      },
    ])
  })

  it('tells what several programs do apart, and counts no write that the kernel refused', () => {
    const text = traceOf([
      mkdir('1.0', POD),
      mkdir('1.1', CONTAINER),
      open('1.2', CONTAINER, 7),
      open('1.3', POD, 8),
      limit('1.4', -22, 7),
      limit('1.5', 20, 7),
      limit('1.6', 20, 8),
    ])
    const limits = readTrace(text).map(({ path, limited }) => [path, limited])
    expect(limits).toEqual([
      [POD, 1600],
      [CONTAINER, 1500],
    ])
  })

  it('leaves out what was there before', () => {
    expect(readTrace(traceOf([open('1.2', POD), limit('1.4', 20)]))).toEqual([])
  })

  it.each([
    ['events were lost', traceOf([mkdir('1.0', POD)], 2), 'is not whole: 1 of 2 events'],
    ['it is none', 'cat: no such file', 'is not whole: undefined of undefined events'],
    [
      'it does not tell whose a limit is',
      traceOf([limit('1.4', 20)]),
      'whose limit this is: MainThread-16033 ',
    ],
    [
      'the path could not be read',
      traceOf([open('1.1', POD), open('1.2', POD).replace(/".*"/, '(fault)'), limit('1.4', 20)]),
      'whose limit this is',
    ],
  ])('is not taken where %s', (_, text, why) => {
    expect(() => readTrace(text)).toThrow(why)
  })
})

describe('limits in time', () => {
  const cgroup = (kind: 'pod' | 'container', path: string, created: number, limited?: number) => ({
    ...{ kind, path, created, limited },
  })

  it.each([
    ['before the first container, which comes behind the sandbox', 30, 1],
    ['after it', 50, 0],
    ['never', undefined, 0],
  ])('stood %s', (_, limited, inTime) => {
    const seen = [
      cgroup('pod', POD, 10, limited),
      cgroup('container', SANDBOX, 20),
      cgroup('container', CONTAINER, 40),
    ]
    expect(countInTime(seen)).toEqual({ pods: 1, inTime })
  })
})
