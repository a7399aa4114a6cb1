import { StowageError } from "../../../errors/index.ts";
import { Version } from "../../../gen/containerd/services/version/v1/version_pb.ts";
import type { HostReader } from "../../../host/index.ts";
import type { ContainerdClient } from "./containerd-client.ts";
import { GrpcClient } from "./grpc-client.ts";
import { checkSocketPath } from "./socket-path.ts";

/** Where containerd is and how long its first answer may take. */
export interface ConnectOptions {
  /** Absolute path of the socket, at most 107 bytes. */
  readonly socketPath: string;
  /** Whose socket it is. */
  readonly host: HostReader;
  readonly signal?: AbortSignal | undefined;
  /** @defaultValue 5000 */
  readonly firstAnswerMs?: number;
}

/** An open connection to one containerd; disposing of it ends every call that is under way. */
export interface ContainerdConnection extends AsyncDisposable {
  readonly socketPath: string;
  /** As the daemon says: `1.6.20~ds1`, `v2.1.9`. */
  readonly version: string;
  readonly revision: string;
  /** A client for one namespace; clients share the connection and cost nothing. */
  inNamespace(namespace: string): ContainerdClient;
}

/** Messages of the daemon end at 16 MiB; a list beyond that fails on its side with a clear error. */
const MAX_RECEIVE_BYTES = 64 * 1024 * 1024;
const MAX_SEND_BYTES = 16 * 1024 * 1024;

/** What gRPC's channel is opened with. */
const CHANNEL_OPTIONS = {
  "grpc.max_receive_message_length": MAX_RECEIVE_BYTES,
  "grpc.max_send_message_length": MAX_SEND_BYTES,
  // a daemon is back 0.2 s after its restart, the default would wait for minutes
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 500,
  // else closing one client would leave the socket open for another
  "grpc-node.flow_control_window": 8 * 1024 * 1024,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
} as const;

/**
 * Connects to containerd and asks for its version, so that a wrong socket is known at once.
 *
 * gRPC is loaded only now.
 *
 * @throws StowageError `invalid_argument` for a path that cannot be a socket's, `permission_denied` when
 * the socket may not be used, `not_found` when it is absent, `unavailable` when it refuses or is not containerd's.
 */
export async function connect(options: ConnectOptions): Promise<ContainerdConnection> {
  const { socketPath, host, signal, firstAnswerMs = 5000 } = options;
  await checkSocketPath(host, socketPath, signal);
  const dialled = await host.reachSocket(socketPath, signal === undefined ? {} : { signal });
  const { Client, credentials, Metadata } = await import("./grpc-library.ts");
  signal?.throwIfAborted();
  const channel = new Client(`unix://${dialled}`, credentials.createInsecure(), CHANNEL_OPTIONS);
  const inNamespace = (namespace: string): ContainerdClient =>
    new GrpcClient({ channel, newMetadata: () => new Metadata(), socketPath, namespace });
  try {
    const doing = "ask containerd for its version";
    const answer = await inNamespace("default").unary(
      Version.method.version,
      {},
      { doing, signal, deadlineMs: firstAnswerMs },
    );
    return {
      socketPath,
      version: answer.version,
      revision: answer.revision,
      inNamespace,
      [Symbol.asyncDispose]: async () => channel.close(),
    };
  } catch (error) {
    channel.close();
    throw notContainerd(error, socketPath);
  }
}

/** What refuses or garbles the very first question is not containerd; what is not reachable stays that. */
function notContainerd(error: unknown, socketPath: string): unknown {
  if (!StowageError.is(error)) return error;
  if (
    error.code === "permission_denied" ||
    /\b(?:ENOENT|ECONNREFUSED)\b/.test(String(error.context["state"]))
  )
    return error;
  return new StowageError(
    `Cannot reach containerd at "${socketPath}": what listens there does not answer like containerd; correct the engine's address, or check whether containerd hangs`,
    {
      code: "unavailable",
      cause: error,
      context: error.context,
      retryable: error.code === "unavailable" || error.code === "deadline_exceeded",
    },
  );
}
