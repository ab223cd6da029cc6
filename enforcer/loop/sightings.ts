/** From what the watched directories say to what is to be done. */
import type { Watches } from '../node/watches.ts'
import type { Agenda } from './agenda.ts'
import type { Folders } from './folders.ts'

export interface SightingDeps {
  readonly folders: Folders
  readonly watches: () => Watches
  readonly agenda: Agenda
  readonly isListed: (uid: string) => boolean
}

export function createSightings({ folders, watches, agenda, isListed }: SightingDeps) {
  return (folder: string, name: string): void => {
    const sighting = folders.interpret(folder, name, isListed)
    if (sighting === undefined) return
    // A directory that went takes its watch along, and one of the same name may have come since.
    if (sighting.kind !== 'inside') watches().drop(`${folder}/${name}`)
    if (sighting.kind === 'parent') agenda.addAll('cgroup')
    else agenda.add([sighting.uid], 'cgroup')
  }
}
