/**
 * Certificates that look after themselves: one Secret, shared by every replica, made by whichever comes first, rotated by
 * whichever notices first, and its bundle on the webhook configurations. There is no leader: every write carries the version
 * of what it was decided on, so that of two the second fails and looks again.
 */
import { formatBundle, type Material } from '../../certs/material.ts'
import type { Names } from '../../certs/names.ts'
import {
  createMaterial,
  type Lifetimes,
  planRotation,
  type StepEffects,
  type StepKind,
  takeStep,
} from '../../certs/rotation.ts'
import { type Bell, createBell } from './bell.ts'
import { type Configurations, type ConfigurationsObserver, createConfigurations } from './configurations.ts'
import { createSecretFile, type SecretFile, type SecretName } from './secret.ts'
import type { FollowingTools } from './tools.ts'

export interface CertificatesObserver extends ConfigurationsObserver {
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
  /** To be served from now on. */
  readonly serve: (material: Material) => void
  /** PEM: what the API server trusts, as the configurations say; each once. */
  readonly published: (bundles: readonly string[]) => void
  readonly observe: CertificatesObserver
}

/** Until stopped; never rejects. */
export async function keepCertificates(deps: CertificatesDeps, stopped: AbortSignal): Promise<void> {
  const bell = createBell(deps.sleep)
  const configurations = createConfigurations(deps, bell.ring)
  const secret = createSecretFile(deps, bell.ring)
  let served: Material | undefined
  const keeper: Keeper = {
    ...deps,
    secretFile: secret,
    configurationSet: configurations,
    serve(material) {
      if (served?.leaf.certificate !== material.leaf.certificate) deps.serve(material)
      served = material
    },
  }
  await Promise.all([secret.run(stopped), configurations.run(stopped), keepUp(keeper, bell, stopped)])
}

interface Keeper extends CertificatesDeps {
  readonly secretFile: SecretFile
  readonly configurationSet: Configurations
}

const SHORTEST_REST = 50
const LONGEST_REST = 3_600_000
const PAUSE = 1000

async function keepUp(keeper: Keeper, { rest }: Bell, stopped: AbortSignal): Promise<void> {
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
  const { secretFile, configurationSet, lifetimes, names, now, observe } = keeper
  const state = secretFile.state
  if (state === undefined || !configurationSet.isKnown) return LONGEST_REST
  const { material } = state
  if (typeof material === 'string') {
    if (state.version !== undefined) observe.broken(material)
    return await change(keeper, 'create', stopped)
  }
  keeper.serve(material)
  const isPublished = await publish(keeper, formatBundle(material))
  const plan = planRotation(material, { now: now(), lifetimes, names, isPublished })
  if (plan.kind === 'wait') return isPublished ? plan.until - now().getTime() : PAUSE
  return await change(keeper, plan.kind, stopped)
}

/** Whether it stands everywhere. What cannot be published must not keep the pair from being renewed. */
async function publish({ configurationSet, published, observe }: Keeper, bundle: string): Promise<boolean> {
  try {
    await configurationSet.publish(bundle)
  } catch (error) {
    observe.failed(error)
  }
  published(configurationSet.published)
  return configurationSet.published.every((one) => one === bundle)
}

/** Milliseconds. */
const LONGEST_STAGGER = 10_000
const STAGGER_WHILE_NOTHING_IS_SERVED = 300

/** Takes the step, unless somebody else was quicker. */
async function change(keeper: Keeper, step: StepKind, stopped: AbortSignal): Promise<number> {
  const { secretFile, lifetimes, names, now, observe } = keeper
  const { state } = secretFile
  if (state === undefined) return 0
  const { material } = state
  const isUrgent = typeof material === 'string'
  const longest = isUrgent ? STAGGER_WHILE_NOTHING_IS_SERVED : Math.min(lifetimes.leaf / 50, LONGEST_STAGGER)
  // Not every replica at once: making keys is the dearest thing that any of them does.
  await keeper.sleep(longest * keeper.random(), stopped)
  if (secretFile.state !== state) return 0
  const effects = { ...keeper.effects, now: now() }
  const changed = isUrgent
    ? await createMaterial({ lifetimes, names }, effects)
    : await takeStep(step, material, { lifetimes, names }, effects)
  if (await secretFile.write(changed, state)) observe.rotated(step)
  return 0
}
