/** What the files of limited cgroups become as metrics. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readCgroupFamilies } from '../../../enforcer/seen/cgroupMetrics.ts'
import { formatFamilies } from '../../../enforcer/seen/exposition.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'iops-limit-metrics-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

type Records = Parameters<typeof readCgroupFamilies>[0]
type Record = Records extends ReadonlyMap<string, infer R> ? R : never
type Place = Exclude<Parameters<typeof readCgroupFamilies>[1], undefined>

function read(
  version: 'v1' | 'v2',
  groups: readonly (readonly [string | null, string])[],
): readonly string[] {
  const targets = groups.map(([container, name]) => ({
    ...{ pod: 'team/db', container, caps: {} },
    path: path.join(folder, name),
  }))
  const record: Record = {
    ...{ isLimited: true, folders: [], problems: [], watched: [], awaits: undefined, targets },
    pod: {
      ...{ id: 'team/db', uid: '1', isRunning: true, hasOwn: true, startable: [], defaulted: [] },
      containers: new Map(),
      admitted: { scope: 'pod', limits: {}, overrides: new Map(), exemptContainers: new Set(), problems: [] },
    },
  }
  const place: Place = {
    ...{ tree: { version, root: folder }, rules: { version, requireMark: true } },
    ...{ mounts: new Map(), devices: ['8:0'], former: [], problems: [], notices: [] },
  }
  const text = [...formatFamilies(readCgroupFamilies(new Map([['1', record]]), place))].join('')
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

function put(name: string, files: Readonly<{ [file: string]: string }>): void {
  mkdirSync(path.join(folder, name), { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, name, file), text)
}

it('v2: limits, operations, bytes and pressure, of the pod and of its containers', () => {
  put('pod', { 'io.max': '8:0 rbps=max wbps=max riops=5 wiops=max\n' })
  put('pod', { 'io.stat': '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n' })
  put('pod', {
    'io.pressure':
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n',
  })
  put('pod/main', { 'io.max': '', 'io.stat': '' })
  const whose = 'namespace="team",pod="db",container=""'
  expect(
    read('v2', [
      [null, 'pod'],
      ['main', 'pod/main'],
    ]),
  ).toEqual([
    `iops_limit_enforcer_limit{${whose},device="8:0",dimension="readIOPS"} 5`,
    `iops_limit_enforcer_io_operations_total{${whose},device="8:0",direction="read"} 3`,
    `iops_limit_enforcer_io_operations_total{${whose},device="8:0",direction="write"} 4`,
    `iops_limit_enforcer_io_bytes_total{${whose},device="8:0",direction="read"} 1`,
    `iops_limit_enforcer_io_bytes_total{${whose},device="8:0",direction="write"} 2`,
    `iops_limit_enforcer_io_pressure_seconds_total{${whose},kind="some"} 1.5`,
    `iops_limit_enforcer_io_pressure_seconds_total{${whose},kind="full"} 0.000007`,
    'iops_limit_enforcer_cgroups_left_out 0',
  ])
})

it('v1: of a container once, whatever is nested in it, by its own cgroup', () => {
  put('a', { 'blkio.throttle.read_iops_device': '8:0 5\n' })
  put('a/nested', { 'blkio.throttle.read_iops_device': '8:0 6\n' })
  expect(
    read('v1', [
      ['main', 'a'],
      ['main', 'a/nested'],
    ]),
  ).toEqual([
    'iops_limit_enforcer_limit{namespace="team",pod="db",container="main",device="8:0",dimension="readIOPS"} 5',
    'iops_limit_enforcer_cgroups_left_out 0',
  ])
})
