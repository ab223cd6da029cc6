/**
 * When cgroups come and when limits stand, by the kernel's own trace of itself: a program that watched for it would take the
 * processors from those that it watches, and see everything later than it is.
 * Source: kernel Documentation/trace/ftrace.rst, Documentation/trace/kprobetrace.rst
 */

export interface TracedCgroup {
  readonly kind: 'pod' | 'container'
  /** Below the root of the hierarchy. */
  readonly path: string
  /** Milliseconds from any start. */
  readonly created: number
  /** Likewise, its first limit; undefined: none came. */
  readonly limited: number | undefined
}

const ROOT = '/sys/kernel/tracing'
const OWN = `${ROOT}/instances/iops-limit`
const EVENTS = ['cgroup/cgroup_mkdir', 'iops_limit/opened', 'iops_limit/limited']

/**
 * For the shell of an x86-64 machine with cgroup v2: whoever opens an io.max, and what the kernel answers to a write to it. Registers
 * hold what a function is called with, its second argument the path; an answer above 0 is the count of bytes that were taken.
 */
export const BEGIN_TRACE = `set -e
  mountpoint -q ${ROOT} || mount -t tracefs tracefs ${ROOT}
  if [ -d ${OWN} ]; then echo 0 >${OWN}/events/enable; rmdir ${OWN}; fi
  echo >${ROOT}/kprobe_events
  echo 'p:iops_limit/opened do_sys_openat2 path=+0(%si):ustring' >>${ROOT}/kprobe_events
  echo 'r:iops_limit/limited tg_set_limit answer=$retval:s64' >>${ROOT}/kprobe_events
  mkdir ${OWN}
  echo mono >${OWN}/trace_clock
  echo 4096 >${OWN}/buffer_size_kb
  echo 'path ~ "*/io.max"' >${OWN}/events/iops_limit/opened/filter
  for event in ${EVENTS.join(' ')}; do echo 1 >${OWN}/events/$event/enable; done`

/** Prints the trace. */
export const END_TRACE = `set -e
  echo 0 >${OWN}/events/enable
  cat ${OWN}/trace
  rmdir ${OWN}
  echo >${ROOT}/kprobe_events`

const EVENT = /^\s*\S.*?-(?<task>\d+)\s+\[\d+\]\s+\S+\s+(?<seconds>\d+\.\d+): (?<name>\w+): (?<rest>.*)$/
const COUNTS = /entries-in-buffer\/entries-written: (?<kept>\d+)\/(?<written>\d+)/
const POD = /pod[0-9a-f_-]{32,36}\.slice$/
const CONTAINER = /\.scope$/

/** Cgroups that came under its eyes, in order. Throws where events were lost, or nobody can tell whose a limit is. */
export function readTrace(text: string): readonly TracedCgroup[] {
  const { kept, written } = COUNTS.exec(text)?.groups ?? {}
  if (kept === undefined || kept !== written)
    throw new Error(`the kernel's trace is not whole: ${kept} of ${written} events`)
  const cgroups = new Map<string, TracedCgroup>()
  const opened = new Map<string, string>()
  for (const line of text.split('\n')) {
    const { task = '', seconds, name, rest = '' } = EVENT.exec(line)?.groups ?? {}
    const at = Number(seconds) * 1000
    if (name === 'cgroup_mkdir') {
      const path = / path=(.*)$/.exec(rest)?.[1] ?? ''
      const kind = findKind(path)
      if (kind !== undefined) cgroups.set(path, { kind, path, created: at, limited: undefined })
    }
    if (name === 'opened') opened.set(task, /path="\/sys\/fs\/cgroup(.*)\/io\.max"/.exec(rest)?.[1] ?? '')
    if (name !== 'limited' || !(Number(/ answer=(.*)$/.exec(rest)?.[1]) > 0)) continue
    const path = opened.get(task) ?? ''
    if (path === '') throw new Error(`the kernel's trace does not tell whose limit this is: ${line.trim()}`)
    const cgroup = cgroups.get(path)
    if (cgroup?.limited === undefined && cgroup !== undefined) cgroups.set(path, { ...cgroup, limited: at })
  }
  return [...cgroups.values()]
}

function findKind(path: string): 'pod' | 'container' | undefined {
  if (POD.test(path)) return 'pod'
  return CONTAINER.test(path) ? 'container' : undefined
}
