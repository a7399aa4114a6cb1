import { WINDOW } from "./agent/source.ts";
import { ByteQueue } from "./byte-queue.ts";
import { defer } from "./deferred.ts";
import { type Frame, unpackList } from "./frames.ts";
import { RemoteError } from "./remote-error.ts";

/** Sends a frame of one channel. */
export type Send = (type: string, data: Uint8Array) => void;

/** One thing that the host was asked to do, and what goes to and fro for it. */
export class Channel {
  readonly stdout: ByteQueue;
  readonly stderr: ByteQueue;
  readonly #send: Send;
  readonly #answer = defer<readonly Buffer[]>();
  readonly #started = defer<void>();
  #room = WINDOW;
  #onRoom: (() => void) | undefined;
  #isOver = false;

  constructor(send: Send) {
    this.#send = send;
    this.stdout = new ByteQueue((bytes) => this.#grant("o", bytes));
    this.stderr = new ByteQueue((bytes) => this.#grant("e", bytes));
  }

  /** What the host says at last. */
  get answer(): Promise<readonly Buffer[]> {
    return this.#answer.promise;
  }

  /** Comes when a program runs, or a connection is made. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends bytes as soon as the host takes them. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength && !this.#isOver; ) {
      if (this.#room <= 0) {
        await new Promise<void>((resolve) => {
          this.#onRoom = resolve;
        });
        continue;
      }
      const part = bytes.subarray(at, at + Math.min(this.#room, WINDOW / 4));
      this.#room -= part.byteLength;
      at += part.byteLength;
      this.#send("d", part);
    }
  }

  /** No more bytes come. */
  end(): void {
    if (!this.#isOver) this.#send("e", NOTHING);
  }

  /** Has the host stop it, and all that came of it. */
  cancel(): void {
    if (!this.#isOver) this.#send("c", NOTHING);
  }

  /** Takes what the host says of it. @returns whether that was the last */
  take({ type, data }: Pick<Frame, "type" | "data">): boolean {
    switch (type) {
      case "o":
        this.stdout.push(data);
        return false;
      case "e":
        this.stderr.push(data);
        return false;
      case "O":
        this.stdout.end();
        return false;
      case "E":
        this.stderr.end();
        return false;
      case "s":
        this.#started.resolve();
        return false;
      case "w":
        this.#room += data.readUInt32BE(0);
        this.#onRoom?.();
        return false;
      case "=":
        this.#over();
        this.#started.resolve();
        this.#answer.resolve(unpackList(data));
        return true;
      default:
        this.fail(new RemoteError(unpackList(data)));
        return true;
    }
  }

  /** It came to nothing. */
  fail(error: unknown): void {
    this.#over(error);
    this.#started.reject(error);
    this.#answer.reject(error);
  }

  #over(error?: unknown): void {
    this.#isOver = true;
    this.stdout.end(error);
    this.stderr.end(error);
    this.#onRoom?.();
  }

  #grant(kind: "o" | "e", bytes: number): void {
    if (this.#isOver) return;
    const data = Buffer.allocUnsafe(5);
    data.write(kind, 0, "latin1");
    data.writeUInt32BE(bytes, 1);
    this.#send("w", data);
  }
}

const NOTHING = new Uint8Array();
