/** What comes and goes with each request. */

export interface Member {
  /** Where it is in its bag; negative: it is in none. The bag's own. */
  place: number
}

/** Members in no order, of each only one. */
export interface Bag<M extends Member> {
  readonly add: (member: M) => void
  /** False where it was in none. */
  readonly remove: (member: M) => boolean
  /** To be read only while nothing comes or goes. */
  readonly members: readonly M[]
}

/**
 * No Set, and no Map: those grow by a new table to which the one before points (V8, OrderedHashTable::Rehash), so that one that has
 * grown old keeps all that come after it alive, and the requests that they ever held, until everything is collected: 35 MiB, and
 * pauses of milliseconds (docs/decisions/0031-rounds.md).
 */
export function createBag<M extends Member>(): Bag<M> {
  const members: M[] = []
  return {
    members,
    add(member) {
      member.place = members.push(member) - 1
    },
    remove(member) {
      const { place } = member
      const last = members[members.length - 1]
      if (place < 0 || last === undefined) return false
      members[place] = last
      last.place = place
      members.pop()
      member.place = -1
      return true
    },
  }
}
