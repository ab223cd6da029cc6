import { expect, test } from 'vitest'
import { createLife } from '../../../webhook/server/life.ts'

test('a life is ready from its start of serving to its end, and tells why it is not', () => {
  const life = createLife()
  expect(life.unready).toEqual(['starting: not listening yet'])
  life.startServing()
  expect(life.unready).toEqual([])
  expect(life.isStopping).toBe(false)
  life.startStopping('SIGTERM')
  life.startStopping('SIGINT')
  life.startServing()
  expect(life.unready).toEqual(['shutting down: SIGTERM'])
  expect(life.isStopping).toBe(true)
})
