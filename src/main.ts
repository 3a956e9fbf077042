#!/usr/bin/env node
/** Where the program starts: the command line decides what runs. */
import { runCommandLine } from './cli/program.ts'

await runCommandLine(process.argv)
