import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { CallOptions, Client, Metadata } from "@grpc/grpc-js";
import { onAbort } from "../../../internal/index.ts";
import { BidiCall } from "./bidi-call.ts";
import type { ContainerdClient } from "./containerd-client.ts";
import { defaultDeadlineMs, isCancellable } from "./deadlines.ts";
import { decodeMessage } from "./decode-message.ts";
import { MessageQueue } from "./message-queue.ts";
import { type RpcErrorPlace, toStowageError } from "./rpc-error.ts";
import type { RpcOptions } from "./rpc-options.ts";

/** Answers of a stream that may wait unread before its sender is slowed down. */
const UNREAD_MESSAGES = 64;

/** What binds a client to its connection. */
export interface GrpcBinding {
  readonly channel: Client;
  readonly newMetadata: () => Metadata;
  readonly socketPath: string;
  readonly namespace: string;
  readonly leaseId?: string;
  /** Nothing is sent once it is aborted. */
  readonly guard?: AbortSignal | undefined;
}

/** {@link ContainerdClient} over grpc-js, driven by the descriptors of the generated code. */
export class GrpcClient implements ContainerdClient {
  readonly namespace: string;
  readonly #binding: GrpcBinding;

  constructor(binding: GrpcBinding) {
    this.namespace = binding.namespace;
    this.#binding = binding;
  }

  inNamespace(namespace: string): ContainerdClient {
    const { leaseId: _, ...binding } = this.#binding;
    return new GrpcClient({ ...binding, namespace });
  }

  withLease(leaseId: string): ContainerdClient {
    return new GrpcClient({ ...this.#binding, leaseId });
  }

  until(guard: AbortSignal | undefined): ContainerdClient {
    return new GrpcClient({ ...this.#binding, guard });
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: RpcOptions,
  ): Promise<MessageShape<O>> {
    this.#throwIfAborted(options);
    const place = this.#place(method, options);
    const { serialize, deserialize } = codec(method);
    const signal = isCancellable(place.rpc) ? options.signal : undefined;
    return new Promise((resolve, reject) => {
      const call = this.#binding.channel.makeUnaryRequest(
        `/${place.rpc}`,
        serialize,
        deserialize,
        create(method.input, request),
        this.#metadata(),
        callOptions(place, options),
        (error, answer) => {
          waiting[Symbol.dispose]();
          if (error === null && answer !== undefined) resolve(answer);
          else reject(signal?.aborted === true ? signal.reason : toStowageError(error, place));
        },
      );
      const waiting = onAbort(signal, () => call.cancel());
    });
  }

  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: RpcOptions,
  ): AsyncGenerator<MessageShape<O>, void, void> {
    const { signal } = options;
    this.#throwIfAborted(options);
    const place = this.#place(method, options);
    const { serialize, deserialize } = codec(method);
    const call = this.#binding.channel.makeServerStreamRequest(
      `/${place.rpc}`,
      serialize,
      deserialize,
      create(method.input, request),
      this.#metadata(),
      callOptions(place, options),
    );
    const answers = new MessageQueue<MessageShape<O>>((waiting) => {
      if (waiting >= UNREAD_MESSAGES) call.pause();
      else if (waiting === 0) call.resume();
    });
    using _waiting = onAbort(signal, () => call.cancel());
    call.on("data", (message: MessageShape<O>) => answers.push(message));
    call.on("error", (error: unknown) => answers.end({ error }));
    call.on("end", () => answers.end());
    try {
      for (let next = await answers.next(); !next.done; next = await answers.next())
        yield next.value;
    } catch (error) {
      signal?.throwIfAborted();
      throw toStowageError(error, place);
    } finally {
      call.cancel();
    }
  }

  bidi<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
    options: RpcOptions,
  ): BidiCall<I, O> {
    this.#throwIfAborted(options);
    const place = this.#place(method, options);
    const { serialize, deserialize } = codec(method);
    const call = this.#binding.channel.makeBidiStreamRequest(
      `/${place.rpc}`,
      serialize,
      deserialize,
      this.#metadata(),
    );
    return new BidiCall(call, method.input, place, options);
  }

  #throwIfAborted({ signal }: RpcOptions): void {
    signal?.throwIfAborted();
    this.#binding.guard?.throwIfAborted();
  }

  #place(method: DescMethod, options: RpcOptions): RpcErrorPlace {
    const { socketPath, namespace } = this.#binding;
    return {
      rpc: `${method.parent.typeName}/${method.name}`,
      doing: options.doing,
      socketPath,
      namespace,
    };
  }

  #metadata(): Metadata {
    const metadata = this.#binding.newMetadata();
    metadata.set("containerd-namespace", this.#binding.namespace);
    if (this.#binding.leaseId !== undefined)
      metadata.set("containerd-lease", this.#binding.leaseId);
    return metadata;
  }
}

function callOptions(place: RpcErrorPlace, options: RpcOptions): CallOptions {
  const deadlineMs = options.deadlineMs ?? defaultDeadlineMs(place.rpc);
  return Number.isFinite(deadlineMs) ? { deadline: Date.now() + deadlineMs } : {};
}

function codec<I extends DescMessage, O extends DescMessage>(method: {
  readonly input: I;
  readonly output: O;
}) {
  return {
    serialize: (message: MessageShape<I> | Buffer): Buffer => {
      if (Buffer.isBuffer(message)) return message;
      const bytes = toBinary(method.input, message);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    deserialize: (bytes: Buffer): MessageShape<O> => decodeMessage(method.output, bytes),
  };
}
