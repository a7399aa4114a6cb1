import { StowageError } from "../../errors/index.ts";
import type { Host, HostSnapshot } from "../../host/index.ts";
import { fencedSignal } from "./fenced-signal.ts";
import {
  describeHolder,
  highestNumber,
  type LockFile,
  lockPath,
  lockRequest,
  readLockState,
} from "./lock-file.ts";

/** A host's lock as long as it is held. Disposing it gives it back; the number stays. */
export interface HostLock extends AsyncDisposable {
  readonly number: number;
  /** Aborted as soon as it is known to be lost. */
  readonly signal: AbortSignal;
  /**
   * Whether its time is over: told by this machine's clock alone. A process that was stopped longer
   * than the lock lives finds out before anything else.
   */
  isExpired(): boolean;
  /** @throws StowageError `aborted` when somebody else may write on the host by now */
  check(): Promise<void>;
}

/** What a held lock is made of. */
export interface HeldLockParts {
  readonly host: Host;
  readonly name: string;
  readonly lockDir: string;
  readonly file: LockFile;
  readonly lifeMs: number;
  readonly now: () => number;
  /** When the host's clock was read, by `now`. */
  readonly readAt: number;
  readonly session: Map<string, HeldLock>;
}

/** The lock behind {@link HostLock}; it is renewed until the last of its users gives it back. */
export class HeldLock implements HostLock {
  readonly #parts: HeldLockParts;
  readonly #lost = new AbortController();
  #deadline: number;
  #timer: NodeJS.Timeout | undefined;
  #renewal: Promise<void> = Promise.resolve();
  /** One for each user. */
  readonly #hosts: Host[] = [];
  #users = 0;
  /** Whether it came to be used, once that is known. */
  readonly #isUsable: Promise<boolean>;
  #tell: (isUsable: boolean) => void = () => undefined;

  constructor(parts: HeldLockParts) {
    this.#parts = parts;
    this.#isUsable = new Promise((resolve) => {
      this.#tell = resolve;
    });
    // counted from before the host's clock was read, so that it is never later than the host's own
    this.#deadline = parts.readAt + parts.lifeMs;
  }

  get number(): number {
    return this.#parts.file.number;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Another name of the same machine, in the same run. @returns undefined when it was given up before its use */
  async share(host: Host): Promise<HostLock | undefined> {
    if (!(await this.#isUsable)) return undefined;
    this.#mark(host);
    return this;
  }

  /** It is there, and is renewed from now on; not before {@link begin} may anybody use it. */
  keep(): void {
    const { readAt, lifeMs, now } = this.#parts;
    this.#schedule(Math.max(0, readAt + lifeMs / 3 - now()));
  }

  begin(): void {
    this.#mark(this.#parts.host);
    this.#tell(true);
  }

  /** Nothing writes its file any more, which may then be removed. */
  async endRenewal(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#renewal;
  }

  /** It was never to be used, and its file is gone: its other names look again. */
  giveUp(): void {
    this.#parts.session.delete(this.#parts.file.nonce);
    this.#tell(false);
  }

  isExpired(): boolean {
    if (!this.#lost.signal.aborted && this.#parts.now() >= this.#deadline) this.#lose("");
    return this.#lost.signal.aborted;
  }

  async check(): Promise<void> {
    const { host, lockDir } = this.#parts;
    if (!this.isExpired()) {
      const snapshot = await host.snapshot({ list: [lockDir] });
      if (!this.isExpired() && this.#isHighest(snapshot)) return;
    }
    throw await this.#nameLoss();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    for (const host of this.#hosts.splice(0)) host.markPrograms(undefined);
    const { host, lockDir, file, session } = this.#parts;
    // before anything is waited for: nobody may share what is on its way out
    session.delete(file.nonce);
    await this.endRenewal();
    if (this.isExpired()) return;
    if (!this.#isHighest(await host.snapshot({ list: [lockDir] }))) return;
    const released = { ...file, released: true };
    await host.writeFile(lockPath(lockDir, this.number), JSON.stringify(released));
  }

  #mark(host: Host): void {
    this.#users += 1;
    this.#hosts.push(host);
    host.markPrograms(this.#parts.lockDir);
  }

  /** Numbers start again with each boot: the same one may be somebody else's by now. */
  #isHighest({ entries, bootId }: HostSnapshot): boolean {
    const { lockDir, file } = this.#parts;
    return bootId === file.bootId && highestNumber(entries.get(lockDir)) === this.number;
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#renewal = this.#renew();
    }, delayMs);
    this.#timer.unref();
  }

  async #renew(): Promise<void> {
    const { host, lockDir, file, lifeMs, now } = this.#parts;
    if (this.isExpired()) return;
    let next = lifeMs / 3;
    try {
      const readAt = now();
      const snapshot = await host.snapshot({ list: [lockDir] });
      if (!this.#isHighest(snapshot)) {
        await this.#nameLoss();
        return;
      }
      if (this.isExpired()) return;
      const renewed = { ...file, expiresAtMonotonicMs: snapshot.monotonicMs + lifeMs };
      using signal = fencedSignal(this, []);
      await host.writeFile(lockPath(lockDir, this.number), JSON.stringify(renewed), { signal });
      this.#deadline = readAt + lifeMs;
    } catch {
      // the host did not answer; there is time until the deadline
      next = lifeMs / 12;
    }
    if (this.#timer !== undefined && !this.isExpired()) this.#schedule(next);
  }

  /** Finds out who has the lock now. */
  async #nameLoss(): Promise<StowageError> {
    const { host, lockDir, file } = this.#parts;
    try {
      const state = readLockState(await host.snapshot(lockRequest(lockDir)), lockDir);
      const isOwn = state.file?.nonce === file.nonce || state.number === 0;
      return this.#lose(isOwn ? "" : describeHolder(state));
    } catch {
      return this.#lose("");
    }
  }

  #lose(holder: string): StowageError {
    const { name } = this.#parts;
    const who = holder === "" ? "whoever takes it next, as it expired" : holder;
    const state = `lost the lock to ${who}`;
    const error = new StowageError(
      `Cannot write on host "${name}": ${state}; make a new plan before you apply`,
      { code: "aborted", context: { host: name, ...(holder === "" ? {} : { holder }) } },
    );
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lost.abort(error);
    return error;
  }
}
