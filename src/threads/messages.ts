/** What the two sides of a task's port say to each other, and how errors cross it. */
import type { MessagePort } from 'node:worker_threads'
import { type ErrorCode, HoldfastError } from '../errors.ts'

/** Starts a task in a thread, by the thread's own port. */
export interface TaskStart {
  name: string
  input: unknown
  port: MessagePort
}

/** A thread asks, and stands still until `state` is set. */
export interface Question {
  question: unknown
  /** Where the answer goes. */
  answer: SharedArrayBuffer
  /** Two Int32: one of `answerStates`, and the length of the answer. */
  state: SharedArrayBuffer
}

/** A failed answer is the error's text as `writeError` copies it, in JSON; cut where there is no room for it. */
export const answerStates = { open: 0, given: 1, failed: 2 } as const

/** Of either side: bytes, their end or failure, and that bytes were taken, with the memory of others to be used again. */
export type BytesMessage =
  | { kind: 'bytes'; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'end' }
  | { kind: 'broken'; error: SentError }
  | { kind: 'taken'; bytes: number; free: ArrayBuffer | undefined }

export type ToThread = BytesMessage | { kind: 'abort'; error: SentError }

export type FromThread =
  | BytesMessage
  | { kind: 'note'; note: unknown }
  | { kind: 'done'; output: unknown }
  | { kind: 'failed'; error: SentError }

/** An error as it is copied: structured clone would lose our class, its code and its details. */
export interface SentError {
  message: string
  stack: string | undefined
  /** Of a HoldfastError. */
  holdfastCode: ErrorCode | undefined
  details: Record<string, unknown>
  /** Of a failed system call. */
  code: unknown
}

export function writeError(error: unknown): SentError {
  if (!(error instanceof Error)) {
    return { message: String(error), stack: undefined, holdfastCode: undefined, details: {}, code: undefined }
  }
  const { message, stack } = error
  if (error instanceof HoldfastError) {
    return { message, stack, holdfastCode: error.code, details: error.details, code: undefined }
  }
  return { message, stack, holdfastCode: undefined, details: {}, code: (error as NodeJS.ErrnoException).code }
}

export function readError({ message, stack, holdfastCode, details, code }: SentError): Error {
  const error = holdfastCode === undefined ? new Error(message) : new HoldfastError(holdfastCode, { message, details })
  if (stack !== undefined) error.stack = stack
  return code === undefined ? error : Object.assign(error, { code })
}
