import type { Mark } from '../manifest/position.ts'
import { STDIN } from './inputs.ts'
import type { Report } from './report.ts'
import { findRemarks, nameDecider, nameOutcome, type Remark, spotOfRemark } from './words.ts'

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const

/** Annotations of a GitHub workflow: https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
export function formatGithub({ outcomes, faults }: Report): string {
  const lines = outcomes.flatMap((outcome) =>
    findRemarks(outcome).map((remark) => {
      const { file, mark } = spotOfRemark(outcome, remark)
      const title = [nameOutcome(outcome), nameDecider(outcome)].filter((part) => part !== '').join(', ')
      return formatCommand(remark.level, { file, mark, title }, remark.text)
    }),
  )
  const broken = faults.map(({ file, mark, message }) =>
    formatCommand(
      'error',
      { title: 'iops-limit review could not run', ...(file && { file }), ...(mark && { mark }) },
      message,
    ),
  )
  return [...broken, ...lines].map((line) => `${line}\n`).join('')
}

interface Place {
  readonly title: string
  readonly file?: string
  readonly mark?: Mark
}

function formatCommand(level: Remark['level'], { title, file, mark }: Place, text: string): string {
  const properties = [
    ...(file === undefined || file === STDIN ? [] : [`file=${escapeProperty(file)}`]),
    ...(mark === undefined ? [] : [`line=${mark.line}`, `col=${mark.column}`]),
    `title=${escapeProperty(title)}`,
  ]
  return `::${COMMANDS[level]} ${properties.join(',')}::${escapeData(text)}`
}

/** Source: actions/toolkit, packages/core/src/command.ts. */
const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
