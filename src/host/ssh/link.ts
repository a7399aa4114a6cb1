import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../errors/index.ts";
import { abortable, createLimiter } from "../../internal/index.ts";
import { openSession } from "./open-session.ts";
import { type Session, SessionLost } from "./session.ts";
import { unreachable } from "./ssh-failure.ts";
import type { SshTarget } from "./ssh-target.ts";
import { ConnectFailure } from "./wait-for-greeting.ts";

/** Connections that are being made at once: more of them take no less time. */
const connecting = createLimiter(16);

/** Time that a host which is busy with others is asked again and again. */
const BUSY_MS = 60_000;
/** Time that a connection which was there is waited for. */
const RESUME_MS = 20_000;
/** Times that something harmless is begun again after the connection went. */
const TRIES = 4;
/** Time after a host was given up in which nobody has it tried again: an apply leaves it in several steps. */
const GIVEN_UP_MS = 3_000;
const PAUSE_MS = 200;
const PAUSE_MAX_MS = 3_000;

/** The way to one host: a connection when one is needed, and another one when that is gone. */
export class Link {
  readonly #target: SshTarget;
  #session: Promise<Session> | undefined;
  /** The last one that came up. */
  #live: Session | undefined;
  #wasUp = false;
  #givenUp: { readonly at: number; readonly error: unknown } | undefined;
  readonly #closing = new AbortController();

  constructor(target: SshTarget) {
    this.#target = target;
  }

  /** Does something that may be done twice: it is done again when the connection goes meanwhile. */
  async again<T>(
    signal: AbortSignal | undefined,
    use: (session: Session) => Promise<T>,
  ): Promise<T> {
    for (let nth = 1; ; nth += 1) {
      const session = await this.session(signal);
      try {
        return await use(session);
      } catch (error) {
        if (!(error instanceof SessionLost)) throw error;
        signal?.throwIfAborted();
        if (nth >= TRIES || this.#isClosed) throw this.#lost(error, "run it again");
      }
    }
  }

  /** Does something that must not be done twice: when the connection goes meanwhile nobody knows how far it came. */
  async once<T>(
    signal: AbortSignal | undefined,
    use: (session: Session) => Promise<T>,
  ): Promise<T> {
    const session = await this.session(signal);
    try {
      return await use(session);
    } catch (error) {
      if (!(error instanceof SessionLost)) throw error;
      signal?.throwIfAborted();
      throw this.lost(error);
    }
  }

  /** Does something over the connection that there is: one that was lost is not waited for. */
  async whileUp<T>(
    signal: AbortSignal | undefined,
    use: (session: Session) => Promise<T>,
  ): Promise<T> {
    try {
      if (this.isAway) throw new SessionLost();
      return await use(await this.session(signal));
    } catch (error) {
      if (!(error instanceof SessionLost)) throw error;
      signal?.throwIfAborted();
      throw this.#lost(error, "run it again");
    }
  }

  /** Connects ahead of the first use, which gets the error if that fails. */
  begin(): void {
    this.#session ??= this.#connect();
    this.#session.catch(() => undefined);
  }

  /** The connection that there is, or a new one. */
  async session(signal: AbortSignal | undefined): Promise<Session> {
    for (;;) {
      signal?.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      this.#session ??= this.#connect();
      const pending = this.#session;
      const session = await abortable(pending, signal).catch((error: unknown) => {
        if (signal?.aborted !== true && this.#session === pending) this.#session = undefined;
        throw error;
      });
      if (!session.isOver) return session;
      if (this.#session === pending) this.#session = undefined;
    }
  }

  /** Whether there was a connection, and is none now: it is being made anew, for some time. */
  get isAway(): boolean {
    return this.#wasUp && this.#live?.isOver === true;
  }

  /** The error of something that was under way, and must not be done twice. */
  lost(error: SessionLost): StowageError {
    return this.#lost(error, "what was being done there may or may not be done; run it again");
  }

  /** Ends the connection; one that is being made is not waited for. */
  async close(): Promise<void> {
    this.#closing.abort(unreachable(this.#target.address, "it was let go of", "aborted"));
    const session = await this.#session?.catch(() => undefined);
    session?.close();
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #connect(): Promise<Session> {
    const { signal } = this.#closing;
    const begun = performance.now();
    const { at = Number.NEGATIVE_INFINITY, error: known } = this.#givenUp ?? {};
    if (begun - at < GIVEN_UP_MS) throw known;
    for (let pause = PAUSE_MS; ; pause = Math.min(pause * 2, PAUSE_MAX_MS)) {
      try {
        const session = await this.#open();
        this.#wasUp = true;
        this.#live = session;
        return session;
      } catch (error) {
        const patience = this.#wasUp ? RESUME_MS : BUSY_MS;
        const isOver = this.#isClosed || performance.now() - begun > patience;
        if (isOver || !this.#isPassing(error)) throw this.#giveUp(error);
      }
      // not all at once again
      const pauseMs = pause * (0.5 + Math.random());
      await delay(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  async #open(): Promise<Session> {
    const { signal } = this.#closing;
    const opening = connecting(async () => {
      signal.throwIfAborted();
      return await openSession(this.#target, signal);
    });
    try {
      return await abortable(opening, signal);
    } catch (error) {
      // it may have come up in the very turn in which it was given up
      if (this.#isClosed) opening.then((session) => session.close()).catch(() => undefined);
      throw error;
    }
  }

  /** One that was waited for long enough: the next caller gets the error at once. @returns why */
  #giveUp(error: unknown): unknown {
    const reason = this.#reason(error);
    if (this.#wasUp) this.#givenUp = { at: performance.now(), error: reason };
    this.#wasUp = false;
    return reason;
  }

  /** Whether it may be better in a moment. */
  #isPassing(error: unknown): boolean {
    if (error instanceof SessionLost) return true;
    if (!(error instanceof ConnectFailure)) return false;
    const { isBusy, error: why } = error.failure;
    return isBusy || (this.#wasUp && why.code === "unavailable");
  }

  #reason(error: unknown): unknown {
    if (error instanceof ConnectFailure) return error.failure.error;
    return error instanceof SessionLost ? this.#lost(error, "run it again") : error;
  }

  #lost(error: Error, remedy: string): StowageError {
    return new StowageError(
      `Cannot reach host ${this.#target.address} any more: the connection was lost (${error.message}); ${remedy}`,
      { code: "unavailable", context: { address: this.#target.address }, cause: error },
    );
  }
}
