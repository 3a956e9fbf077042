/** `holdfast doctor`: does everything that the server stands on answer, and what should be changed? */
import type { Command } from 'commander'
import { isHoldfastError } from '../errors.ts'
import { examine, type Finding } from '../hub/doctor.ts'
import { describeError, printTable } from './output.ts'
import { withHub } from './with-hub.ts'

/** Adds `doctor`. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('examine settings, database, bucket and disk; prints a report; exit status 0 only if all is well')
    .addHelpText('after', '\nExample:\n  $ holdfast doctor')
    .action(async () => {
      const findings = await findAll()
      printTable(
        ['SUBJECT', 'STATE', 'FINDING'],
        findings.map(({ subject, verdict, message }) => [subject, verdict, message]),
      )
      if (findings.some(({ verdict }) => verdict === 'fault')) process.exitCode = 1
    })
}

async function findAll(): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    await withHub(async (hub) => {
      findings.push(...(await examine(hub)))
    })
  } catch (error) {
    // A setting is wrong, or database or bucket do not answer: the sentence says which.
    const message = isHoldfastError(error) ? describeError(error) : String(error)
    findings.push({ subject: 'opening', verdict: 'fault', message })
  }
  return findings
}
