import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { Channel } from "./channel.ts";
import { defer } from "./deferred.ts";
import { endSsh } from "./end-ssh.ts";
import { type Frame, FrameReader, frameHead, packList } from "./frames.ts";

/** How often the host is asked whether it is there. */
const PING_MS = 5_000;
/** Time without a word from it after which it counts as gone. */
const SILENCE_MS = 15_000;
/** Two questions in a row without an answer: a connection that ends then was given up by ssh, which says nothing. */
const QUIET_MS = 2 * PING_MS;

/** A program of ssh whose streams lead to the host. */
export interface Wire {
  readonly child: ChildProcess;
  readonly stdin: Writable;
  readonly stdout: Readable;
}

/** One connection to a host, with its agent at the other end: any number of things at once. */
export class Session {
  readonly #wire: Wire;
  readonly #reader = new FrameReader();
  readonly #channels = new Map<number, Channel>();
  readonly #ready = defer<void>();
  readonly #timer: NodeJS.Timeout;
  #last = 0;
  #heardAt = performance.now();
  #isOver = false;

  /** @param why says why it ended, once it has */
  constructor(wire: Wire, why: () => string) {
    this.#wire = wire;
    wire.stdout.on("data", (bytes: Buffer) => this.#take(bytes));
    wire.stdout.resume();
    wire.stdin.on("error", () => undefined);
    wire.child.once("close", () => this.#end(this.#silence > QUIET_MS ? this.#silent() : why()));
    this.#timer = setInterval(() => this.#ping(), PING_MS).unref();
  }

  /** Comes when the agent serves. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Has the host do something. @param list the name of it and what belongs to it */
  open(list: readonly (string | Uint8Array | number)[]): Channel {
    this.#last += 1;
    const id = this.#last;
    const channel = new Channel((type, data) => this.#send(type, id, data));
    if (this.#isOver) channel.fail(new SessionLost());
    else {
      this.#channels.set(id, channel);
      this.#send("r", id, packList(list));
    }
    return channel;
  }

  /** Ends the connection; what was begun on the host for it ends there. */
  close(): void {
    const { child, stdin } = this.#wire;
    stdin.end();
    this.#end("it was closed");
    // a host that does not hear of it is not waited for: this process may end in the next moment
    endSsh(child, "SIGTERM");
    setTimeout(() => endSsh(child, "SIGKILL"), 1_000).unref();
  }

  #send(type: string, id: number, data: Uint8Array): void {
    if (this.#isOver) return;
    const { stdin } = this.#wire;
    // what is asked for in one turn goes out in one piece
    if (stdin.writableCorked === 0) {
      stdin.cork();
      process.nextTick(() => stdin.uncork());
    }
    stdin.write(frameHead(type, id, data.byteLength));
    if (data.byteLength > 0) stdin.write(data);
  }

  #take(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#heardAt = performance.now();
    try {
      for (const frame of this.#reader.read(bytes)) this.#dispatch(frame);
    } catch (error) {
      this.#giveUp(error instanceof Error ? error.message : String(error));
    }
  }

  #dispatch(frame: Frame): void {
    if (frame.type === "R") this.#ready.resolve();
    if (this.#channels.get(frame.id)?.take(frame) === true) this.#channels.delete(frame.id);
  }

  get #silence(): number {
    return performance.now() - this.#heardAt;
  }

  #silent(): string {
    return `it has said nothing for ${Math.round(this.#silence / 1_000)} s`;
  }

  #ping(): void {
    if (this.#silence > SILENCE_MS) this.#giveUp(this.#silent());
    else this.#send("p", 0, new Uint8Array());
  }

  #giveUp(why: string): void {
    this.#end(why);
    endSsh(this.#wire.child, "SIGKILL");
  }

  #end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    const lost = new SessionLost(why);
    for (const channel of this.#channels.values()) channel.fail(lost);
    this.#channels.clear();
    this.#ready.reject(lost);
  }
}

/** The connection went while something was asked of the host. */
export class SessionLost extends Error {
  constructor(why = "it was closed") {
    super(why);
  }
}
