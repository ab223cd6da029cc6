/** The serving certificate: from files, or one that looks after itself in the cluster. */
import { createDoorWatch } from './door.ts'
import type { Followed } from './follow.ts'
import type { TlsPair } from './tls.ts'

export interface Certificate {
  /** Served to new connections; undefined while there is none. */
  readonly pair: TlsPair | undefined
  /** Why the API server could not call us, each a phrase. */
  readonly unready: readonly string[]
  /** Has each new pair served, until stopped; never rejects. Those of files are followed with the other files. */
  readonly run: (serving: Serving, stopped: AbortSignal) => Promise<void>
}

export interface Serving {
  readonly servePair: (pair: TlsPair) => void
  /** Where our own port is, seen from here. */
  readonly host: string
  readonly port: number
}

/** What the keeper of a certificate tells. */
export interface Kept {
  readonly serve: (pair: TlsPair) => void
  /** PEM: the authorities that the API server goes by from now on; several while its configurations differ. */
  readonly published: (bundles: readonly string[]) => void
}

/** Sees to a pair and to its publication until stopped; never rejects. */
export type KeepCertificate = (told: Kept, stopped: AbortSignal) => Promise<void>

export const createFileCertificate = (tls: Followed<TlsPair>): Certificate => ({
  get pair() {
    return tls.current
  },
  unready: [],
  run: () => Promise.resolve(),
})

export interface KeptDeps {
  readonly keep: KeepCertificate
  /** By which name the API server calls us. */
  readonly servername: string
  /** Ends early once the signal aborts, by whatever way. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

export function createKeptCertificate({ keep, servername, sleep }: KeptDeps): Certificate {
  let pair: TlsPair | undefined
  let bundles: readonly string[] = []
  let place: Partial<Pick<Serving, 'host' | 'port'>> = {}
  const door = createDoorWatch({
    sleep,
    findDoors() {
      const { host, port } = place
      if (host === undefined || port === undefined || pair === undefined) return []
      return bundles.map((ca) => ({ host, port, servername, ca }))
    },
  })
  return {
    get pair() {
      return pair
    },
    get unready() {
      return door.unready
    },
    async run({ servePair, ...rest }, stopped) {
      place = rest
      const told: Kept = {
        serve(next) {
          pair = next
          servePair(next)
        },
        published(next) {
          bundles = next
        },
      }
      await Promise.all([keep(told, stopped), door.run(stopped)])
    },
  }
}
