/**
 * What the built enforcer costs by the number of pods, three containers each, every one of which gets its limit: on a tree of plain
 * files (v2) and, where root permits, on real cgroups of v1; with a kubelet of this process over HTTPS.
 *   npm run bench:enforcer -- [ROUNDS] [PODS...]      3 rounds; 10, 110, 250 and 500 pods if nothing is said
 */
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../test/support/cluster/daemon.ts'
import { findObstacle } from '../test/support/kernel/kernel.ts'
import { standInEnv, startStandIn } from '../test/support/kernel/standIns.ts'
import { type BusyNode, createBusyNode } from './enforcer/node.ts'
import { type Cost, type EnforcerProcess, spawnEnforcer } from './enforcer/process.ts'
import { formatLives, type Life } from './enforcer/report.ts'
import { createV1Node } from './enforcer/v1.ts'

const TREES: Readonly<Record<string, (pods: number) => BusyNode>> = {
  'plain files as v2': createBusyNode,
  'real v1': createV1Node,
}
/** Seconds between passes here, and by default. */
const INTERVALS = { here: 0.5, usual: 30 }
/** Passes that are looked at, and of them those that are not counted. */
const PASSES = { counted: 16, warm: 8 }
const REPLACED = 100
const ADDED = 100
/** Milliseconds until a start is over. */
const SETTLED = 2000

async function bench(rounds: number, sizes: readonly number[]): Promise<number> {
  execFileSync('npm', ['run', '--silent', 'prepare'], { cwd: fileURLToPath(new URL('..', import.meta.url)) })
  const obstacle = findObstacle()
  const trees = Object.entries(TREES).filter(([name]) => name !== 'real v1' || obstacle === undefined)
  const lives: Life[] = []
  for (let round = 1; round <= rounds; round += 1) {
    for (const pods of sizes)
      for (const [tree, create] of trees) {
        process.stderr.write(`round ${round} of ${rounds}: ${pods} pods, ${tree}\n`)
        using node = toDisposable(create(pods))
        lives.push({ tree, pods, ...(await live(node, pods)) })
      }
  }
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  say(`${cpus().length} cores of ${cpus()[0]?.model ?? 'a processor'}, Node ${process.versions.node};`)
  say(`medians of ${rounds} lives each; pods of 3 containers, 2 limits each\n`)
  say(formatLives(sortLives(lives), INTERVALS.usual))
  if (obstacle !== undefined) say(`\nNOT MEASURED: real cgroups of v1: ${obstacle}`)
  return obstacle === undefined ? 0 : 1
}

const toDisposable = (node: BusyNode): BusyNode & Disposable => ({ ...node, [Symbol.dispose]: node.dispose })

const sortLives = (lives: readonly Life[]): readonly Life[] =>
  lives.toSorted((a, b) => a.tree.localeCompare(b.tree) || a.pods - b.pods)

type Measured = Omit<Life, 'tree' | 'pods'>

async function live(node: BusyNode, pods: number): Promise<Measured> {
  await using kubelet = await startStandIn(node.answer)
  const env = { ...node.env, ...standInEnv(kubelet), USAGE_INTERVAL: '1h' }
  const costs = await measureCosts(node, pods, { ...env, CHECK_INTERVAL: `${INTERVALS.here}s` })
  return { ...costs, containers: await addContainers(node, env) }
}

type Env = Readonly<Record<string, string>>

/** From its start: passes without work, then other limits for all, then other pods. */
async function measureCosts(node: BusyNode, pods: number, env: Env): Promise<Omit<Measured, 'containers'>> {
  using enforcer = spawnEnforcer(env, await findFreePort())
  const firstLimit = await enforcer.until('the first limit', () => node.holds('oldest', 500))
  const lastLimit = await enforcer.until('the last limit', () => node.holds('newest', 500))
  await untilPassed(enforcer, PASSES.warm)
  const idle = await spend(enforcer, () => untilPassed(enforcer, PASSES.counted))
  const passCpu = idle.cpu / idle.passes
  const changed = await spend(enforcer, () => changeAll(enforcer, node))
  const replaced = await spend(enforcer, () => replace(enforcer, node, Math.min(pods, 10)))
  const { now, most } = enforcer.readMemory()
  return {
    ...{ firstLimit, lastLimit, rss: now, most },
    pass: (idle.passing / idle.passes) * 1000,
    passCpu: passCpu * 1000,
    lineCpu: ((changed.cpu - changed.passes * passCpu) / changed.writes) * 1000,
    podCpu: ((replaced.cpu - replaced.passes * passCpu) / REPLACED) * 1000,
  }
}

async function spend(enforcer: EnforcerProcess, work: () => Promise<void>): Promise<Cost> {
  const before = await enforcer.readCost()
  await work()
  const after = await enforcer.readCost()
  return {
    cpu: after.cpu - before.cpu,
    passes: after.passes - before.passes,
    passing: after.passing - before.passing,
    writes: after.writes - before.writes,
  }
}

/** A look costs the enforcer something, too: it is taken as seldom as can be. */
async function untilPassed(enforcer: EnforcerProcess, count: number): Promise<void> {
  const { passes } = await enforcer.readCost()
  await sleep(INTERVALS.here * count * 1000)
  while ((await enforcer.readCost()).passes < passes + count) await sleep(INTERVALS.here * 2000)
}

/** To and fro, so that the clock of the processor, which counts hundredths of a second, has enough to count. */
async function changeAll(enforcer: EnforcerProcess, node: BusyNode): Promise<void> {
  for (const iops of [600, 700, 800, 900, 500]) {
    node.limit(iops)
    await enforcer.until(
      `all are held to ${iops}`,
      () => node.holds('oldest', iops) && node.holds('newest', iops),
    )
  }
}

/** So many at a time, limited before the next come. */
async function replace(enforcer: EnforcerProcess, node: BusyNode, atOnce: number): Promise<void> {
  for (let done = 0; done < REPLACED; done += atOnce) {
    for (let index = 0; index < Math.min(atOnce, REPLACED - done); index += 1) node.replaceOldest()
    await enforcer.until('the newest pod is held', () => node.holds('newest', 500))
  }
}

/** One after the other, with passes as seldom as by default; milliseconds of each. */
async function addContainers({ limit, holds, newest }: BusyNode, env: Env): Promise<readonly number[]> {
  if (newest === undefined) return []
  limit(400)
  newest.expectContainer()
  using enforcer = spawnEnforcer(env, await findFreePort())
  await enforcer.until('the newest pod is held to 400', () => holds('newest', 400))
  await sleep(SETTLED)
  const taken: number[] = []
  for (let done = 0; done < ADDED; done += 1) {
    const began = performance.now()
    const container = newest.addContainer()
    await enforcer.until('a container is held', () => container.holds(400))
    taken.push(performance.now() - began)
    container.remove()
    // Past the moment in which what comes together is taken together.
    await sleep(50)
  }
  return taken
}

const [rounds = 3, ...sizes] = process.argv.slice(2).map(Number)
if (!(rounds >= 1 && sizes.every((size) => size >= 1))) {
  process.stderr.write('usage: npm run bench:enforcer -- [ROUNDS] [PODS...]\n')
  process.exit(2)
}
process.exitCode = await bench(rounds, sizes.length > 0 ? sizes : [10, 110, 250, 500])
