import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { StowageError } from "../../errors/index.ts";

/** What is served on this machine alone. */
export interface ServeMetricsRequest {
  /** 0: any that is free. */
  readonly port: number;
  readonly metrics: () => string;
  /** Why the watch is not well; undefined: it is. */
  readonly problem: () => string | undefined;
}

/** A server that runs; dispose it to end it. */
export interface MetricsServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * Serves `/metrics` and `/healthz` on the loopback address.
 *
 * @throws StowageError `unavailable` when the port is taken
 */
export async function serveMetrics(request: ServeMetricsRequest): Promise<MetricsServer> {
  const server = createServer((incoming, answer) => {
    const { status, type, text } = answerTo(incoming.method, incoming.url, request);
    answer.writeHead(status, { "content-type": `${type}; charset=utf-8` });
    answer.end(incoming.method === "HEAD" ? undefined : text);
  });
  server.headersTimeout = 10_000;
  server.maxConnections = 64;
  server.listen(request.port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    throw StowageError.from(
      error,
      `Cannot serve metrics on port ${request.port} of 127.0.0.1`,
      "unavailable",
    );
  }
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function answerTo(
  method: string | undefined,
  url: string | undefined,
  { metrics, problem }: ServeMetricsRequest,
): Answer {
  const type = "text/plain";
  if (method !== "GET" && method !== "HEAD") return { status: 405, type, text: "only GET\n" };
  const path = url?.split("?")[0];
  if (path === "/metrics") return { status: 200, type: `${type}; version=0.0.4`, text: metrics() };
  if (path !== "/healthz") return { status: 404, type, text: "see /metrics and /healthz\n" };
  const why = problem();
  return why === undefined
    ? { status: 200, type, text: "ok\n" }
    : { status: 503, type, text: `${why}\n` };
}
