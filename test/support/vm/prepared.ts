/** A machine with what a suite needs on it, begun anew where the machine itself stops. */
import { messageOf } from '../../../contract/problem.ts'
import { type Machine, type MachineOptions, readConsole, startMachine } from './vm.ts'

/**
 * An emulated machine now and then stops for good before a test has begun: then there is one more, and it is said
 * loudly. What fails on a machine that still answers has failed.
 */
export async function startPrepared(
  options: MachineOptions,
  prepare: (machine: Machine) => Promise<void>,
): Promise<Machine> {
  try {
    return await startOnce(options, prepare)
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    console.warn(`THE MACHINE STOPPED and is started once more: ${error.message}`)
    return await startOnce(options, prepare)
  }
}

class Stopped extends Error {}

async function startOnce(
  options: MachineOptions,
  prepare: (machine: Machine) => Promise<void>,
): Promise<Machine> {
  const machine = await startMachine(options)
  try {
    await prepare(machine)
    return machine
  } catch (error) {
    const { code } = await machine.run('true')
    const said = await readConsole(machine)
    await machine[Symbol.asyncDispose]()
    throw code === 0 ? error : new Stopped(`${messageOf(error)}\n${said}`, { cause: error })
  }
}
