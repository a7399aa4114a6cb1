import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { ProbeTarget } from "../host.ts";

const LOOPBACK = "127.0.0.1";

/** Connects to a port: `connect` is emitted when that is done, `error` when it fails. */
export type Dial = (at: { readonly host: string; readonly port: number }) => Duplex;

/**
 * Asks a port: whether it takes a connection, or what it answers to GET.
 *
 * @returns undefined when it is healthy, else why not
 */
export function probePort(
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  dial: Dial = connect,
): Promise<string | undefined> {
  signal?.throwIfAborted();
  const { address: host = LOOPBACK, port, http } = target;
  return new Promise((resolve, reject) => {
    const request =
      http === undefined
        ? dial({ host, port }).once("connect", () => end(undefined))
        : get(
            { host, port, path: http.path, createConnection: () => dial({ host, port }) },
            take,
          ).once("upgrade", take);
    const timer = setTimeout(
      () => end(`port ${port} did not answer within ${timeoutMs} ms`),
      timeoutMs,
    );
    const abort = () => {
      clean();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    request.on("error", (error: NodeJS.ErrnoException) => end(refusal(port, error)));

    function clean(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      request.destroy();
    }
    function take({ statusCode = 0 }: IncomingMessage): void {
      const isHealthy = statusCode >= 200 && statusCode < 400;
      const path = http?.path ?? "";
      end(isHealthy ? undefined : `port ${port} answered ${statusCode} to GET ${path}`);
    }
    function end(answer: string | undefined): void {
      clean();
      resolve(answer);
    }
  });
}

function refusal(port: number, error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNREFUSED") return `nothing listens on port ${port}`;
  if (error.code === "ECONNRESET") return `port ${port} closed the connection`;
  return `port ${port} failed: ${error.message}`;
}
