import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { StowageError } from "../../../errors/index.ts";
import { onAbort } from "../../../internal/index.ts";
import { MessageQueue } from "./message-queue.ts";
import type { RpcErrorPlace } from "./rpc-error.ts";
import { toStowageError } from "./rpc-error.ts";
import type { RpcOptions } from "./rpc-options.ts";

/** What an answer on an open stream may take when its caller says nothing. */
const ANSWER_MS = 120_000;

/**
 * An open stream in both directions; disposing of it cancels what is not finished. An abort counts from the
 * first answer on: a write that is cancelled while containerd opens it leaves its ref locked for good.
 */
export class BidiCall<I extends DescMessage, O extends DescMessage> implements AsyncDisposable {
  readonly #call: ClientDuplexStream<MessageShape<I> | Buffer, MessageShape<O>>;
  readonly #input: I;
  readonly #answers = new MessageQueue<MessageShape<O>>();
  readonly #options: RpcOptions;
  readonly #place: RpcErrorPlace;
  readonly #waiting: Disposable;
  #over = false;
  #isOpen = false;

  /** @internal made by the client only */
  constructor(
    call: ClientDuplexStream<MessageShape<I> | Buffer, MessageShape<O>>,
    input: I,
    place: RpcErrorPlace,
    options: RpcOptions,
  ) {
    this.#call = call;
    this.#input = input;
    this.#place = place;
    this.#options = options;
    this.#waiting = onAbort(options.signal, () => {
      if (this.#isOpen) call.cancel();
    });
    call.on("data", (message: MessageShape<O>) => this.#answers.push(message));
    call.on("error", (error: unknown) => this.#finish({ error }));
    call.on("end", () => this.#finish({}));
  }

  /** Sends one message, waiting while the transport is full. */
  async send(message: MessageInitShape<I>): Promise<void> {
    await this.#write(create(this.#input, message));
  }

  /** Sends one message that is encoded already; it is read until its answer is there. */
  async sendEncoded(message: Buffer): Promise<void> {
    await this.#write(message);
  }

  async #write(message: MessageShape<I> | Buffer): Promise<void> {
    this.#options.signal?.throwIfAborted();
    // the failure itself comes out of receive()
    if (this.#over) return;
    if (this.#call.write(message)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        for (const event of ["drain", "error", "end", "close"]) this.#call.off(event, done);
        resolve();
      };
      for (const event of ["drain", "error", "end", "close"]) this.#call.once(event, done);
    });
  }

  /** The next answer. @throws StowageError when the stream failed, or ended without one. */
  async receive(): Promise<MessageShape<O>> {
    const result = await this.#nextInTime();
    this.#isOpen = true;
    this.#options.signal?.throwIfAborted();
    if (!result.done) return result.value;
    throw new StowageError(`Cannot ${this.#options.doing}: containerd ended the stream too early`, {
      code: "internal",
      context: { rpc: this.#place.rpc },
    });
  }

  /** Says that no more comes, and waits until the daemon has released the stream. */
  async finish(): Promise<void> {
    if (this.#over) return;
    this.#call.end();
    while (!(await this.#nextInTime()).done);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting[Symbol.dispose]();
    if (!this.#over) this.#call.cancel();
  }

  #finish(end: { readonly error?: unknown }): void {
    this.#over = true;
    this.#answers.end(end);
  }

  async #nextInTime(): Promise<IteratorResult<MessageShape<O>, undefined>> {
    const { signal, deadlineMs = ANSWER_MS, doing } = this.#options;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#call.cancel();
    }, deadlineMs);
    try {
      return await this.#answers.next();
    } catch (error) {
      signal?.throwIfAborted();
      if (late) {
        throw new StowageError(
          `Cannot ${doing}: no answer within ${deadlineMs} ms; check whether containerd hangs`,
          {
            code: "deadline_exceeded",
            cause: error,
          },
        );
      }
      throw toStowageError(error, this.#place);
    } finally {
      clearTimeout(timer);
    }
  }
}
