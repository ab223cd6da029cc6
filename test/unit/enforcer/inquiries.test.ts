/** Which pods are asked about, how often and how much later each time. */
import { describe, expect, it } from 'vitest'
import { type About, createInquiries } from '../../../enforcer/loop/inquiries.ts'

/** Sleeps are over when the test says so. */
function createScene() {
  const sleeps: { readonly milliseconds: number; readonly end: () => void }[] = []
  const answers: (readonly string[])[] = []
  let [questions, now] = [0, 0]
  const inquiries = createInquiries({
    refresh: () => {
      questions += 1
      return Promise.resolve()
    },
    answered: (uids) => void answers.push(uids),
    sleep: (milliseconds) =>
      new Promise((resolve) => {
        const until = now + milliseconds
        const end = (): void => {
          now = Math.max(now, until)
          resolve()
        }
        sleeps.push({ milliseconds, end })
      }),
    clock: () => now,
  })
  return {
    inquiries,
    answers,
    pauses: () => sleeps.map(({ milliseconds }) => milliseconds),
    questions: () => questions,
    /** All of them, or the one of that place. */
    elapse: async (place?: number): Promise<void> => {
      for (const { end } of place === undefined ? sleeps : sleeps.slice(place, place + 1)) end()
      await new Promise(setImmediate)
    },
  }
}

type Scene = ReturnType<typeof createScene>

const askInVain = async ({ inquiries, elapse }: Scene, about: About, times: number) => {
  for (let time = 0; time < times; time++) {
    inquiries.ask('a', about)
    await elapse()
  }
}

describe('a pod that nobody knows', () => {
  it('is asked about at once, then ever later, then no more', async () => {
    const scene = createScene()
    await askInVain(scene, 'pod', 10)
    expect(scene.pauses()).toEqual([0, 100, 200, 400, 800, 1600, 3200])
    expect(scene.answers).toEqual(Array.from({ length: 7 }, () => ['a']))
  })

  it('is asked about once, however often it is wanted meanwhile, and with all others that wait', async () => {
    const scene = createScene()
    for (const uid of ['a', 'a', 'b', 'c']) scene.inquiries.ask(uid, 'pod')
    await scene.elapse()
    expect(scene.questions()).toBe(1)
    expect(scene.answers).toEqual([['a', 'b', 'c']])
  })

  it('begins anew once it is settled, or was forgotten', async () => {
    const scene = createScene()
    await askInVain(scene, 'pod', 2)
    scene.inquiries.settle('a')
    await askInVain(scene, 'pod', 2)
    scene.inquiries.retain(new Set(['b']))
    await askInVain(scene, 'pod', 1)
    expect(scene.pauses()).toEqual([0, 100, 0, 100, 0])
  })

  it('that is settled before its question is not asked about', async () => {
    const scene = createScene()
    scene.inquiries.ask('a', 'pod')
    scene.inquiries.settle('a')
    await scene.elapse()
    expect({ questions: scene.questions(), answers: scene.answers }).toEqual({ questions: 0, answers: [] })
  })
})

describe('names of containers', () => {
  it('are asked for only when they can be known, however often the pod itself was asked about', async () => {
    const scene = createScene()
    await askInVain(scene, 'pod', 3)
    await askInVain(scene, 'names', 10)
    expect(scene.pauses()).toEqual([0, 100, 200, 1000, 1000, 2000, 4000])
  })

  it('are asked for once, late, where nothing but the sandbox is there', async () => {
    const scene = createScene()
    await askInVain(scene, 'oldest', 3)
    expect(scene.pauses()).toEqual([4000])
  })

  it('are not asked for by the clock of the sandbox, but of the container that came behind it', async () => {
    const scene = createScene()
    scene.inquiries.ask('a', 'oldest')
    scene.inquiries.ask('a', 'names')
    await scene.elapse(0)
    expect(scene.questions()).toBe(0)
    await scene.elapse(1)
    expect({ pauses: scene.pauses(), answers: scene.answers }).toEqual({
      pauses: [4000, 1000],
      answers: [['a']],
    })
  })

  it('are asked for anew, from then on, once another container comes', async () => {
    const scene = createScene()
    scene.inquiries.ask('a', 'names')
    scene.inquiries.settle('a')
    scene.inquiries.ask('a', 'names')
    await scene.elapse(0)
    expect(scene.questions()).toBe(0)
    await scene.elapse(1)
    expect(scene.questions()).toBe(1)
  })

  it('that other questions answer along the way are asked for as often as ever by themselves', async () => {
    const scene = createScene()
    scene.inquiries.ask('a', 'names')
    for (let time = 1; time <= 6; time++) {
      scene.inquiries.ask(`b${time}`, 'pod')
      await scene.elapse(2 * time - 1)
      scene.inquiries.ask('a', 'names')
    }
    expect(scene.answers.filter((uids) => uids.includes('a'))).toHaveLength(6)
    expect(scene.pauses().filter((pause) => pause > 0)).toEqual(Array.from({ length: 7 }, () => 1000))
    await scene.elapse()
    await askInVain(scene, 'names', 5)
    expect(scene.pauses().slice(-3)).toEqual([1000, 2000, 4000])
  })
})
