/**
 * Certificates that look after themselves: one Secret, shared by every replica, made by whichever comes first, rotated by
 * whichever notices first, and its bundle on the webhook configurations. There is no leader: every write carries the version
 * of what it was decided on, so that of two the second fails and looks again.
 */
import { formatBundle, type Leaf, type Material } from '../../certs/material.ts'
import type { Names } from '../../certs/names.ts'
import {
  createMaterial,
  type Lifetimes,
  planRotation,
  type StepEffects,
  type StepKind,
  takeStep,
} from '../../certs/rotation.ts'
import { createBell } from './bell.ts'
import { type ConfigurationsObserver, createConfigurations } from './configurations.ts'
import { createSecretFile, type SecretName } from './secret.ts'
import type { FollowingTools } from './tools.ts'

export interface CertificatesObserver extends ConfigurationsObserver {
  /** A pair is served from now on. */
  readonly served: (leaf: Leaf, material: Material) => void
  /** This replica took a step. */
  readonly rotated: (step: StepKind) => void
  /** The Secret holds what cannot be used: it is replaced. */
  readonly broken: (why: string) => void
  readonly failed: (error: unknown) => void
}

export interface CertificatesDeps extends FollowingTools {
  readonly secret: SecretName
  /** Names of mutating and validating webhook configurations. */
  readonly configurations: readonly string[]
  readonly names: Names
  readonly lifetimes: Lifetimes
  readonly effects: Omit<StepEffects, 'now'>
  readonly now: () => Date
  readonly servePair: (leaf: Leaf) => void
  readonly observe: CertificatesObserver
}

export interface Certificates {
  /** What is served; undefined until there is something. */
  readonly current: Material | undefined
  /** PEM: what the API server trusts, as the configurations say; each once. */
  readonly published: readonly string[]
  /** Until stopped; never rejects. */
  run(stopped: AbortSignal): Promise<void>
}

export function createCertificates(deps: CertificatesDeps): Certificates {
  const bell = createBell(deps.sleep)
  const configurations = createConfigurations(deps, bell.ring)
  const secret = createSecretFile(deps, bell.ring)
  let current: Material | undefined
  const keeper: Keeper = {
    ...deps,
    secretFile: secret,
    configurationSet: configurations,
    serve(material) {
      const isNew = current?.leaf.certificate !== material.leaf.certificate
      current = material
      if (!isNew) return
      deps.servePair(material.leaf)
      deps.observe.served(material.leaf, material)
    },
  }
  return {
    get current() {
      return current
    },
    get published() {
      return configurations.published
    },
    async run(stopped) {
      await Promise.all([
        secret.run(stopped),
        configurations.run(stopped),
        keepUp(keeper, bell.rest, stopped),
      ])
    },
  }
}

interface Keeper extends CertificatesDeps {
  readonly secretFile: ReturnType<typeof createSecretFile>
  readonly configurationSet: ReturnType<typeof createConfigurations>
  readonly serve: (material: Material) => void
}

const SHORTEST_REST = 50
const LONGEST_REST = 3_600_000
const PAUSE = 1000

async function keepUp(
  keeper: Keeper,
  rest: (milliseconds: number, stopped: AbortSignal) => Promise<void>,
  stopped: AbortSignal,
): Promise<void> {
  const isStopped = (): boolean => stopped.aborted
  while (!isStopped()) {
    try {
      const milliseconds = await look(keeper, stopped)
      await rest(Math.min(Math.max(milliseconds, SHORTEST_REST), LONGEST_REST), stopped)
    } catch (error) {
      if (isStopped()) return
      keeper.observe.failed(error)
      await keeper.sleep(PAUSE * (1 + keeper.random()), stopped).catch(() => undefined)
    }
  }
}

/** Does what is due, one thing at a time; gives how many milliseconds may pass until the next look. */
async function look(keeper: Keeper, stopped: AbortSignal): Promise<number> {
  const { secretFile, configurationSet, lifetimes, names, now, effects, observe } = keeper
  const state = secretFile.state
  if (state === undefined || !configurationSet.isKnown) return LONGEST_REST
  const { material } = state
  if (typeof material === 'string') return await begin(keeper, material)
  keeper.serve(material)
  await configurationSet.publish(formatBundle(material))
  const isPublished = configurationSet.published.every((bundle) => bundle === formatBundle(material))
  const plan = planRotation(material, { now: now(), lifetimes, names, isPublished })
  if (plan.kind === 'wait') return plan.until - now().getTime()
  // Not every replica at once: making keys is the dearest thing that any of them does.
  await keeper.sleep(Math.min(lifetimes.leaf / 50, LONGEST_STAGGER) * keeper.random(), stopped)
  if (secretFile.state !== state) return 0
  const changed = await takeStep(plan.kind, material, { lifetimes, names }, { ...effects, now: now() })
  if (await secretFile.write(changed, state)) observe.rotated(plan.kind)
  return 0
}

const LONGEST_STAGGER = 10_000

/** There is no Secret yet, or what it holds cannot be used. */
async function begin(keeper: Keeper, why: string): Promise<number> {
  const { secretFile, lifetimes, names, now, effects, observe } = keeper
  const { state } = secretFile
  if (why !== '') observe.broken(why)
  const material = await createMaterial({ lifetimes, names }, { ...effects, now: now() })
  if (state !== undefined && (await secretFile.write(material, state))) observe.rotated('create')
  return 0
}
