/** Bounds on what is under way at the same time, so that no crowd exhausts the memory. */

export interface Gate {
  /** A place for one request; undefined where all are taken. */
  enter(): Place | undefined
  readonly requests: number
  readonly bytes: number
}

export interface Place {
  /** Takes room for so many more bytes; false where that would be too much for all together. */
  readonly claim: (bytes: number) => boolean
  /** Gives back the place and its room. */
  readonly leave: () => void
}

export interface GateLimits {
  readonly maxRequests: number
  /** Of all bodies together. */
  readonly maxBytes: number
}

export function createGate({ maxRequests, maxBytes }: GateLimits): Gate {
  let requests = 0
  let bytes = 0
  const createPlace = (): Place => {
    let own = 0
    return {
      claim(more) {
        if (bytes + more > maxBytes) return false
        bytes += more
        own += more
        return true
      },
      leave() {
        requests -= 1
        bytes -= own
      },
    }
  }
  return {
    enter() {
      if (requests >= maxRequests) return undefined
      requests += 1
      return createPlace()
    },
    get requests() {
      return requests
    },
    get bytes() {
      return bytes
    },
  }
}
