/** Users: made and changed by the operator. */
import type { UserId } from '../database/queryable.ts'
import { findUser, insertUser, type UserRow, updatePasswordHash, updateUserDisabled } from '../database/users.ts'
import { HoldfastError } from '../errors.ts'
import { hashPassword, isToken } from './credentials.ts'
import type { Hub } from './hub.ts'
import { checkAccountName } from './names.ts'

export interface NewAccount {
  name: string
  email?: string
  /** Absent: the user signs in with tokens only. */
  password?: string
  isAdmin?: boolean
}

/** Makes a user and their namespace. Throws InputInvalid, NameReserved or NameTaken. */
export async function createUser(hub: Hub, account: NewAccount): Promise<UserId> {
  const { name, email, password, isAdmin = false } = account
  checkAccountName(name, hub.config.limits)
  if (email !== undefined) checkEmail(email)
  const passwordHash = password === undefined ? undefined : await hashCheckedPassword(hub, password)
  const userId = await insertUser(hub.database, { name, email, passwordHash, isAdmin })
  if (userId === undefined) throw nameTaken(name)
  return userId
}

/** The user of that name, disabled or not. Throws AccountNotFound. */
export async function getUser(hub: Hub, name: string): Promise<UserRow> {
  const user = await findUser(hub.database, name)
  if (user === undefined) throw new HoldfastError('AccountNotFound', { message: `There is no user "${name}".` })
  return user
}

/** Locks a user out at once, with all tokens, or lets them in again. Throws AccountNotFound. */
export async function setUserDisabled(hub: Hub, name: string, isDisabled: boolean): Promise<UserRow> {
  const user = await getUser(hub, name)
  await updateUserDisabled(hub.database, user.userId, isDisabled)
  return user
}

/** Gives a user a new password. Throws AccountNotFound or InputInvalid. */
export async function setPassword(hub: Hub, name: string, password: string): Promise<UserRow> {
  const user = await getUser(hub, name)
  await updatePasswordHash(hub.database, user.userId, await hashCheckedPassword(hub, password))
  return user
}

/** The error for a name that another account has. */
export function nameTaken(name: string): HoldfastError {
  return new HoldfastError('NameTaken', { message: `The name "${name}" is taken. Take another one.` })
}

async function hashCheckedPassword(hub: Hub, password: string): Promise<string> {
  const { passwordMinLength, passwordMaxLength } = hub.config.limits
  if (password.length < passwordMinLength || password.length > passwordMaxLength) {
    throw new HoldfastError('InputInvalid', {
      message: `A password must have ${passwordMinLength} to ${passwordMaxLength} characters.`,
    })
  }
  // What looks like a token is looked up as one, so such a password could never be used.
  if (isToken(password)) throw new HoldfastError('InputInvalid', { message: 'A password cannot look like a token.' })
  return await hashPassword(password, hub.config.limits)
}

function checkEmail(email: string): void {
  if (email.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(email)) return
  throw new HoldfastError('InputInvalid', { message: `"${email.slice(0, 254)}" is not an e-mail address.` })
}
