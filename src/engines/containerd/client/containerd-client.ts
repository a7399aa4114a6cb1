import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { BidiCall } from "./bidi-call.ts";
import type { RpcOptions } from "./rpc-options.ts";

/**
 * containerd's API in one namespace, over a connection that is shared and closed elsewhere.
 *
 * Every method rejects with a StowageError whose message begins with `Cannot <options.doing>`, or with
 * `signal.reason` when the signal is aborted. Tasks.Create is never cancelled once it is sent: it
 * answers even if the signal was aborted meanwhile.
 */
export interface ContainerdClient {
  readonly namespace: string;

  /** Calls a method that has one answer. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: RpcOptions,
  ): Promise<MessageShape<O>>;

  /** Calls a method that answers with a stream; leaving the loop early cancels the call. */
  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: RpcOptions,
  ): AsyncIterable<MessageShape<O>>;

  /** Opens a stream in both directions; `deadlineMs` is what each single answer may take. */
  bidi<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
    options: RpcOptions,
  ): BidiCall<I, O>;

  /** The same connection, in another namespace. */
  inNamespace(namespace: string): ContainerdClient;

  /** The same client, with everything that it makes held by a lease. */
  withLease(leaseId: string): ContainerdClient;

  /** The same client, which sends nothing more once the signal is aborted; what was sent is waited for. */
  until(signal: AbortSignal | undefined): ContainerdClient;
}
