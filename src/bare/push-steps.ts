/** The steps of a push into a repository on disk, once its objects wait in quarantine. */
import { HoldfastError, isHoldfastError } from '../errors.ts'
import type { PushRequest } from '../git/host.ts'
import { nullId, type ObjectId, parseObjectId } from '../git/object-id.ts'
import { locateId, type RefCommand } from '../git/repository.ts'
import type { BareObjects } from './bare-objects.ts'
import { readRawRefs } from './bare-refs.ts'
import type { BareRepository } from './bare-repository.ts'
import { findDisconnection } from './connectivity.ts'
import { hookLines, pushOptionsEnvironment, runHook } from './hooks.ts'
import type { IncomingObjects } from './incoming-objects.ts'
import type { PushFates } from './push-fates.ts'
import { findObjection, type RuleContext } from './push-rules.ts'
import { moveRefs } from './ref-transaction.ts'
import { addShallowIds, findCuts } from './shallow-file.ts'

export interface PushScene {
  repository: BareRepository
  request: PushRequest
  fates: PushFates
  /** Undefined where nothing was sent. */
  incoming: IncomingObjects | undefined
  /** What hooks are told of the push's certificate. */
  certificate: Record<string, string>
}

export class PushSteps {
  readonly #repository: BareRepository
  readonly #request: PushRequest
  readonly #fates: PushFates
  readonly #incoming: IncomingObjects | undefined
  /** What was to be deleted and was not there, which post-receive is not told. */
  readonly #absent = new Set<string>()
  /** Branches that were to point to something else. */
  readonly #notCommits = new Set<string>()
  /** Where this repository's history will end as well. */
  readonly #cuts = new Set<ObjectId>()
  readonly #print: (text: string) => void
  readonly #rules: RuleContext
  readonly #pushEnvironment: Record<string, string>

  constructor({ repository, request, fates, incoming, certificate }: PushScene) {
    this.#repository = repository
    this.#request = request
    this.#fates = fates
    this.#incoming = incoming
    this.#print = request.progress
    this.#rules = { repository, objects: () => this.#objects(), print: this.#print }
    this.#pushEnvironment = { ...certificate, ...pushOptionsEnvironment(request.pushOptions) }
  }

  /** All at once; where that fails one by one, to tell which lack something. */
  async checkConnectivity(): Promise<void> {
    const commands = this.#fates.open().filter(({ newId }) => newId !== undefined)
    this.#noteTypes(commands)
    if (commands.length === 0 || (await this.#findDisconnection(commands)) === undefined) return
    for (const command of commands) {
      const why = await this.#findDisconnection([command])
      if (why !== undefined) await this.#judgeDisconnected(command, why)
    }
  }

  /** Now, while the new objects are open: a branch is to point to a commit. */
  #noteTypes(commands: readonly RefCommand[]): void {
    const objects = this.#objects()
    for (const { name, newId } of commands) {
      if (newId === undefined || !name.startsWith('refs/heads/')) continue
      const ordinal = locateId(objects, newId)
      if (ordinal >= 0 && objects.stat(ordinal).type !== 'commit') this.#notCommits.add(name)
    }
  }

  /** What the client's own history lacks is no fault of the push, but would make this repository shallow. */
  async #judgeDisconnected(command: RefCommand, why: string): Promise<void> {
    const { settings } = this.#repository
    const cuts = findCuts(this.#objects(), this.#request.shallowIds ?? [])
    const isShallow = cuts.length > 0 && (await this.#findDisconnection([command], cuts)) === undefined
    if (isShallow && settings.receive.shallowUpdate) {
      for (const id of cuts) this.#cuts.add(id)
    } else if (isShallow) {
      this.#fates.refuse(command.name, 'shallow update not allowed')
    } else {
      this.#print(`error: ${why}\n`)
      this.#fates.refuse(command.name, 'missing necessary objects')
    }
  }

  refuseHidden(): void {
    const { isHidden } = this.#repository.settings.receive
    for (const { name, newId } of this.#fates.open()) {
      if (isHidden(name)) this.#fates.refuse(name, `deny ${newId === undefined ? 'deleting' : 'updating'} a hidden ref`)
    }
  }

  /** False where the push ends here. The hook sees the new objects, nobody else does yet. */
  async runPreReceive(): Promise<boolean> {
    const commands = this.#fates.open()
    if (commands.length === 0) return false
    const hasPassed = await runHook(this.#repository, 'pre-receive', {
      stdin: hookLines(commands),
      environment: { ...this.#quarantineEnvironment(), ...this.#pushEnvironment },
      print: this.#print,
    })
    if (!hasPassed) this.#fates.refuseAll('pre-receive hook declined')
    return hasPassed
  }

  /** The last moment at which a client that has gone can have changed nothing. */
  async migrate(): Promise<boolean> {
    this.#request.signal.throwIfAborted()
    try {
      await this.#incoming?.migrate()
      if (this.#cuts.size > 0) await addShallowIds(this.#repository, [...this.#cuts])
      return true
    } catch (error) {
      this.#print(`error: ${(error as Error).message}\n`)
      this.#fates.refuseAll('unable to migrate objects to permanent storage')
      return false
    }
  }

  /** A ref pushed under its own name and that of a symbolic ref to it can become one thing only. */
  refuseAliases(): void {
    const byName = new Map(this.#fates.open().map((command) => [command.name, command]))
    for (const command of byName.values()) {
      const resolved = this.#repository.refStore.resolve(command.name)
      if (resolved === undefined) {
        this.#print(`error: refusing update to broken symref '${asText(command.name)}'\n`)
        this.#fates.refuse(command.name, 'broken symref')
      } else if (resolved.name !== command.name) this.#compareAlias(command, byName.get(resolved.name))
    }
  }

  #compareAlias(alias: RefCommand, target: RefCommand | undefined): void {
    if (target === undefined) return
    this.#fates.settle(alias.name)
    if (target.oldId === alias.oldId && target.newId === alias.newId) return
    const [symref, name] = [alias.name, target.name].map(asText)
    this.#print(`error: refusing inconsistent update between symref '${symref}' and its target '${name}'\n`)
    for (const command of [alias, target]) this.#fates.refuse(command.name, 'inconsistent aliased update')
  }

  async moveEach(): Promise<void> {
    for (const command of this.#fates.undone()) {
      if (await this.#judge(command)) await this.#move([command], 'failed to update ref')
    }
  }

  async moveTogether(): Promise<void> {
    for (const command of this.#fates.undone()) await this.#judge(command)
    if (this.#fates.hasRefusals()) this.#fates.refuseAll('atomic push failure')
    else await this.#move(this.#fates.undone(), 'atomic transaction failed')
  }

  /** Their outcome changes nothing any more. */
  async runPostHooks(): Promise<void> {
    const moved = this.#fates.open().filter(({ name }) => !this.#absent.has(name))
    if (moved.length === 0) return
    await runHook(this.#repository, 'post-receive', {
      stdin: hookLines(moved),
      environment: this.#pushEnvironment,
      print: this.#print,
    })
    const args = moved.map(({ name }) => asText(name))
    await runHook(this.#repository, 'post-update', { args, print: this.#print })
  }

  /** False where a rule or the update hook speaks against it. */
  async #judge(command: RefCommand): Promise<boolean> {
    const { name, oldId = nullId, newId = nullId } = command
    const objection = await findObjection(this.#rules, command)
    if (objection !== undefined) {
      this.#fates.refuse(name, objection)
      return false
    }
    const args = [asText(name), oldId, newId]
    const hasPassed = await runHook(this.#repository, 'update', { args, print: this.#print })
    if (!hasPassed) {
      this.#print(`error: hook declined to update ${asText(name)}\n`)
      this.#fates.refuse(name, 'hook declined')
    }
    return hasPassed
  }

  async #move(commands: readonly RefCommand[], reason: string): Promise<void> {
    for (const { name, newId } of commands) {
      const isThere = newId !== undefined || this.#repository.refStore.value(name) !== undefined
      if (isThere) continue
      this.#absent.add(name)
      this.#print('warning: deleting a non-existent ref\n')
    }
    try {
      const wrong = commands.find(({ name }) => this.#notCommits.has(name))
      if (wrong !== undefined) throw notACommit(wrong)
      await moveRefs(this.#repository.refStore, commands, this.#repository.settings.refs)
    } catch (error) {
      if (!isHoldfastError(error) && (error as NodeJS.ErrnoException).code === undefined) throw error
      this.#print(`error: ${(error as Error).message}\n`)
      for (const { name } of commands) this.#fates.refuse(name, reason)
    }
  }

  async #findDisconnection(commands: readonly RefCommand[], cuts?: readonly ObjectId[]): Promise<string | undefined> {
    const objects = this.#objects()
    return await findDisconnection({
      objects: cuts === undefined ? objects : objects.cutAt(cuts),
      tips: commands.flatMap(({ newId }) => newId ?? []),
      existingTips: this.#existingTips(),
      received: this.#incoming?.received,
      signal: this.#request.signal,
    })
  }

  /** What refs point to now, hidden ones as well; those to nothing say nothing. */
  #existingTips(): ObjectId[] {
    const { objects, refStore } = this.#repository
    const { head, ids } = readRawRefs(refStore)
    const tips = [...ids.map(([, id]) => id), parseObjectId(head ?? '') ?? []].flat()
    return tips.filter((id) => locateId(objects, id) >= 0)
  }

  #objects(): BareObjects {
    return this.#incoming?.objects ?? this.#repository.objects
  }

  #quarantineEnvironment(): Record<string, string> {
    if (this.#incoming === undefined) return {}
    const { quarantinePath } = this.#incoming
    const others = process.env.GIT_ALTERNATE_OBJECT_DIRECTORIES
    return {
      GIT_OBJECT_DIRECTORY: quarantinePath,
      GIT_QUARANTINE_PATH: quarantinePath,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: [this.#repository.objectsPath, ...(others ? [others] : [])].join(':'),
    }
  }
}

function notACommit({ name, newId }: RefCommand): HoldfastError {
  const branch = asText(name)
  const message = `cannot update ref '${branch}': trying to write non-commit object ${newId} to branch '${branch}'`
  return new HoldfastError('Conflict', { message })
}

function asText(name: string): string {
  return Buffer.from(name, 'latin1').toString()
}
