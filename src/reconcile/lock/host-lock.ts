import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { StowageError } from "../../errors/index.ts";
import type { Host } from "../../host/index.ts";
import { HeldLock, type HostLock } from "./held-lock.ts";
import { ownProcess } from "./holder-process.ts";
import {
  describeHolder,
  type LockFile,
  type LockState,
  lockPath,
  lockRequest,
  readLockState,
} from "./lock-file.ts";

const LIFE_MS = 30_000;
const POLL_MS = 200;
/** Others may be quicker, but not each time. */
const TRIES_MAX = 20;
const TRY_MS = 20;
/** Time for a program to end by itself whose Stowage was killed; to kill it leaves more to repair. */
const FORMER_MS = 10_000;

/** Locks that this run has, so that two names of one machine share one. */
export type LockSession = Map<string, HeldLock>;

/** Which lock to take and for whom. */
export interface AcquireLockRequest {
  readonly host: Host;
  /** Its name, for people. */
  readonly name: string;
  readonly lockDir: string;
  /** Who takes it, for people. */
  readonly owner: string;
  /** How long to wait for another holder. */
  readonly timeoutMs: number;
  readonly session: LockSession;
  /** @defaultValue 30 s; renewed at a third of it */
  readonly lifeMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** This machine's monotonic clock, which continues while the process is stopped. */
  readonly now?: (() => number) | undefined;
  /** Called once with the holder when there is one to wait for. */
  readonly onWait?: ((holder: string) => void) | undefined;
}

/**
 * Takes a host's lock.
 *
 * The highest number in the lock's directory holds it; a number is made by creating its file, which
 * only one can. A holder is gone when it said so, when the host was restarted, or when its time
 * has run out by the host's own monotonic clock. The number rises for as long as the host runs.
 *
 * @throws StowageError `aborted` naming the holder when it is not free in time; `failed_precondition` where its directory
 * does not keep what is written there
 */
export async function acquireHostLock(request: AcquireLockRequest): Promise<HostLock> {
  const { host, lockDir, session, signal, now = () => performance.now() } = request;
  const deadline = now() + request.timeoutMs;
  const options = callOptions(signal);
  const waiting = { hasBegun: false, lostTries: 0 };
  for (;;) {
    signal?.throwIfAborted();
    const readAt = now();
    const state = readLockState(await host.snapshot(lockRequest(lockDir), options), lockDir);
    const own = state.isHeld ? session.get(state.file?.nonce ?? "") : undefined;
    const lock = await (own?.share(host) ?? take(request, state, readAt, now));
    if (lock !== undefined) return lock;
    if (!state.isHeld) waiting.lostTries += 1;
    // one of this run's own is on its way out, else somebody was quicker
    if (!state.isHeld || own !== undefined) await tryAgain(request, waiting);
    else await waitForHolder(request, describeHolder(state), waiting, deadline - now());
  }
}

interface Waiting {
  hasBegun: boolean;
  lostTries: number;
}

async function tryAgain(request: AcquireLockRequest, { lostTries }: Waiting): Promise<void> {
  if (lostTries === TRIES_MAX) throw isUnsettled(request);
  await sleep(TRY_MS, undefined, callOptions(request.signal));
}

async function waitForHolder(
  { name, onWait, signal }: AcquireLockRequest,
  holder: string,
  waiting: Waiting,
  leftMs: number,
): Promise<void> {
  if (leftMs <= 0) throw isTaken(name, holder);
  if (!waiting.hasBegun) onWait?.(holder);
  waiting.hasBegun = true;
  await sleep(Math.min(POLL_MS, leftMs), undefined, callOptions(signal));
}

/** Makes the next number; undefined when the lock is held, or somebody else was quicker. */
async function take(
  request: AcquireLockRequest,
  state: LockState,
  readAt: number,
  now: () => number,
): Promise<HostLock | undefined> {
  if (state.isHeld) return undefined;
  const { host, lockDir, session, signal, lifeMs = LIFE_MS } = request;
  const options = callOptions(signal);
  const file: LockFile = {
    number: state.number + 1,
    nonce: randomUUID(),
    owner: request.owner,
    since: new Date().toISOString(),
    expiresAtMonotonicMs: state.monotonicMs + lifeMs,
    bootId: state.bootId,
    process: ownProcess(),
  };
  const lock = new HeldLock({
    host,
    name: request.name,
    lockDir,
    file,
    lifeMs,
    now,
    readAt,
    session,
  });
  // before it exists: another name of this machine may find it at once
  session.set(file.nonce, lock);
  const path = lockPath(lockDir, file.number);
  try {
    if (await makeNumber(host, path, file, options)) {
      const after = readLockState(await host.snapshot(lockRequest(lockDir), options), lockDir);
      // a slow one can make a number again that was raised, given back and swept since
      if (after.number === file.number) {
        lock.keep();
        // before its file goes: whoever comes after a failure here has to look as well
        if (state.number > 0 && state.file?.released !== true) await endFormerPrograms(request);
        for (const name of after.stale) await host.removeFile(`${lockDir}/${name}`);
        lock.begin();
        return lock;
      }
      await host.removeFile(path);
    }
  } catch (error) {
    await lock.endRenewal();
    await host.removeFile(path).catch(() => undefined);
    lock.giveUp();
    throw error;
  }
  lock.giveUp();
  return undefined;
}

/** @returns false when somebody else was quicker, also when they swept what it is made of meanwhile */
async function makeNumber(
  host: Host,
  path: string,
  file: LockFile,
  options: { readonly signal?: AbortSignal },
): Promise<boolean> {
  try {
    return await host.createFile(path, JSON.stringify(file), options);
  } catch (error) {
    if (StowageError.is(error, "not_found")) return false;
    throw error;
  }
}

/**
 * Waits for what a holder began that did not give its lock back: a program that it was killed over would
 * go on while the host is read.
 *
 * @throws StowageError `unavailable` naming those that cannot be ended
 */
async function endFormerPrograms(request: AcquireLockRequest): Promise<void> {
  const { host, name, lockDir, signal } = request;
  const left = await host.endPrograms(lockDir, FORMER_MS, callOptions(signal));
  if (left.length === 0) return;
  throw new StowageError(
    `Cannot lock host "${name}": ${left.join(", ")} of a killed run cannot be ended; see why it hangs, and restart the host if nothing else helps`,
    { code: "unavailable", context: { host: name } },
  );
}

/**
 * Ends whatever lock a host has, by raising its number: its holder writes nothing more.
 *
 * @returns who held it; undefined when it was free
 */
export async function breakHostLock(
  request: Pick<AcquireLockRequest, "host" | "lockDir" | "owner" | "signal">,
): Promise<string | undefined> {
  const { host, lockDir, owner, signal } = request;
  const options = callOptions(signal);
  for (;;) {
    const state = readLockState(await host.snapshot(lockRequest(lockDir), options), lockDir);
    if (!state.isHeld) return undefined;
    const number = state.number + 1;
    const file: LockFile = {
      number,
      nonce: randomUUID(),
      owner,
      since: new Date().toISOString(),
      expiresAtMonotonicMs: state.monotonicMs,
      bootId: state.bootId,
    };
    if (await makeNumber(host, lockPath(lockDir, number), file, options)) {
      await host.removeFile(lockPath(lockDir, state.number));
      return describeHolder(state);
    }
  }
}

function callOptions(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function isUnsettled({ name, lockDir }: AcquireLockRequest): StowageError {
  return new StowageError(
    `Cannot lock host "${name}": what is written to ${lockDir} is not what is read back; see who else changes that directory, and remove it while nothing is applied`,
    { code: "failed_precondition", context: { host: name } },
  );
}

function isTaken(name: string, holder: string): StowageError {
  return new StowageError(
    `Cannot lock host "${name}": ${holder} holds its lock; wait with --lock-timeout, or break that lock with stowage unlock`,
    { code: "aborted", context: { host: name, holder }, retryable: true },
  );
}
