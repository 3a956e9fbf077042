/** How many transfers one caller, and all together, may have at once (admission.ts). */
import type { FastifyRequest } from 'fastify'
import type { Limits } from '../limits.ts'
import { Admission, type Caller } from './admission.ts'

export interface Transfers {
  /** Clones and fetches, from where objects are read on: refs are listed for everybody. */
  fetches: Admission
  pushes: Admission
}

/** The places of one server. */
export function createTransfers(limits: Limits): Transfers {
  const queue = {
    queuedMax: limits.transfersQueuedMax,
    queuedPerCallerMax: limits.transfersQueuedPerCallerMax,
    queueTimeoutMs: limits.transferQueueTimeoutMs,
  }
  return {
    fetches: new Admission('clones and fetches', {
      atOnceMax: limits.fetchesAtOnceMax,
      perUserMax: limits.fetchesPerUserMax,
      perAddressMax: limits.fetchesPerAddressMax,
      ...queue,
    }),
    pushes: new Admission('pushes', {
      atOnceMax: limits.pushesAtOnceMax,
      perUserMax: limits.pushesPerUserMax,
      perAddressMax: limits.pushesPerAddressMax,
      ...queue,
    }),
  }
}

/** Whose places a transfer takes. */
export function callerOf({ principal, ip }: FastifyRequest): Caller {
  return { userId: principal.kind === 'user' ? principal.userId : undefined, address: ip }
}
