import { Duplex } from "node:stream";
import type { Channel } from "./channel.ts";

/** A connection that the host makes, as a stream; `connect` is emitted when it is made. */
export class ChannelSocket extends Duplex {
  readonly #channel: Promise<Channel>;
  #bytes: AsyncIterator<Buffer> | undefined;
  #isReading = false;

  constructor(channel: Promise<Channel>) {
    super();
    this.#channel = channel;
    channel
      .then(async (opened) => {
        await opened.started;
        this.emit("connect");
        // an end by itself: the stream reports what it was asked for
        await opened.answer;
      })
      .catch((error: Error) => this.destroy(error));
  }

  override _read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#next()
      .then((bytes) => {
        this.#isReading = false;
        this.push(bytes);
      })
      .catch((error: Error) => this.destroy(error));
  }

  override _write(bytes: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#channel.then((channel) => channel.write(bytes)).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#channel.then((channel) => channel.end()).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#channel.then((channel) => channel.cancel()).catch(() => undefined);
    done(error);
  }

  // what http of Node asks of a socket; the stream's own end tells of silence
  setTimeout(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  async #next(): Promise<Buffer | null> {
    const channel = await this.#channel;
    this.#bytes ??= channel.stdout[Symbol.asyncIterator]();
    const next = await this.#bytes.next();
    return next.done === true ? null : next.value;
  }
}
