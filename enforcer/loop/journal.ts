/** What is wrong, said once: a loop that finds the same thing at each pass has nothing new to tell. */
export interface Journal {
  /** Says those that were not said for this subject already; those that are not there any more are over. */
  readonly say: (subject: string, sentences: readonly string[]) => void
  /** The subject has gone, and what was said of it. */
  readonly forget: (subject: string) => void
}

export function createJournal(write: (sentence: string) => void): Journal {
  const said = new Map<string, ReadonlySet<string>>()
  return {
    say: (subject, sentences) => {
      const before = said.get(subject)
      const now = new Set(sentences)
      for (const sentence of now) if (before?.has(sentence) !== true) write(sentence)
      if (now.size > 0) said.set(subject, now)
      else said.delete(subject)
    },
    forget: (subject) => void said.delete(subject),
  }
}
