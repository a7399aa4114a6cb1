import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { FaultKind, FaultPoint } from "./fault.ts";

const KINDS: readonly FaultKind[] = ["error", "lost", "hang", "reset", "killed"];
const [UNKNOWN, DEADLINE_EXCEEDED, UNAVAILABLE] = [2, 4, 14];

/** Streams that last as long as they last; how long each answer may take their client knows alone. */
const WITHOUT_DEADLINE = /\/(?:Wait|Subscribe|Write)$/;

/** What the proxy needs of the daemon behind it. */
export interface ProxiedDaemon {
  readonly socket: string;
  /** Kills it and starts it again. */
  restart(): Promise<void>;
}

/** A socket that stands before a daemon's: all gRPC calls go through it, and go wrong there. */
export class GrpcProxy implements AsyncDisposable {
  readonly socket: string;
  /** Calls that would have been waited for without end. */
  readonly endless: string[] = [];
  readonly #daemon: ProxiedDaemon;
  readonly #faults: FaultPoint;
  readonly #server: Http2Server;
  readonly #sockets = new Set<Socket>();
  #restarting: Promise<void> = Promise.resolve();

  private constructor(socket: string, daemon: ProxiedDaemon, faults: FaultPoint) {
    this.socket = socket;
    this.#daemon = daemon;
    this.#faults = faults;
    this.#server = createServer();
    this.#server.on("connection", (each: Socket) => {
      this.#sockets.add(each);
      each.once("close", () => this.#sockets.delete(each));
    });
    this.#server.on("session", (session) => {
      const daemonSide = connectHttp2("http://localhost", {
        createConnection: () => connect(daemon.socket),
      });
      const end = (): void => {
        daemonSide.destroy();
        session.destroy();
      };
      for (const each of [daemonSide, session]) each.on("error", end).once("close", end);
      session.on("stream", (stream, headers) => this.#pass(stream, headers, daemonSide, end));
    });
  }

  static async open(socket: string, daemon: ProxiedDaemon, faults: FaultPoint): Promise<GrpcProxy> {
    const proxy = new GrpcProxy(socket, daemon, faults);
    proxy.#server.listen(socket);
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** When the daemon answers again, should it have been killed. */
  async settled(): Promise<void> {
    await this.#restarting;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#restarting;
    for (const each of this.#sockets) each.destroy();
    this.#server.close();
  }

  #pass(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    daemonSide: ClientHttp2Session,
    breakOff: () => void,
  ): void {
    stream.on("error", () => undefined);
    const name = (headers[":path"] ?? "").replace(/^\/containerd\.(?:services\.)?/, "grpc ");
    const kind = this.#faults.meet(name, KINDS);
    if (kind === "error") answer(stream, UNKNOWN, "a fault");
    if (kind === "hang") void this.#hang(stream, headers, name);
    if (kind === "error" || kind === "hang") return;
    if (kind === "reset") setTimeout(breakOff, 5);
    if (kind === "killed") {
      // its clients hear of it before it is there again
      setTimeout(() => {
        this.#restarting = this.#daemon.restart();
      }, 5);
    }
    forward(stream, headers, daemonSide, kind === "lost");
  }

  /** Says after a while what the client's own clock says at its deadline. */
  async #hang(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    name: string,
  ): Promise<void> {
    if (headers["grpc-timeout"] === undefined && !WITHOUT_DEADLINE.test(name))
      this.endless.push(name);
    stream.resume();
    await delay(200);
    answer(stream, DEADLINE_EXCEEDED, "Deadline exceeded");
  }
}

function answer(stream: ServerHttp2Stream, status: number, message: string): void {
  if (stream.destroyed) return;
  const words = { "grpc-status": String(status), "grpc-message": message };
  if (stream.headersSent) return void stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", ...words },
    { endStream: true },
  );
  stream.resume();
}

function forward(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  daemonSide: ClientHttp2Session,
  isLost: boolean,
): void {
  if (daemonSide.destroyed) return void stream.close(constants.NGHTTP2_REFUSED_STREAM);
  const lost = { "grpc-status": String(UNAVAILABLE), "grpc-message": "the answer was lost" };
  const request = daemonSide.request(headers, { endStream: false });
  let trailers: Record<string, unknown> = {};
  request.on("response", (answered, flags) => {
    if (stream.destroyed) return;
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const said = isWhole && isLost ? { ...answered, ...lost } : answered;
    stream.respond(said, isWhole ? { endStream: true } : { waitForTrailers: true });
  });
  request.on("trailers", (each) => {
    trailers = isLost ? { ...each, ...lost } : each;
  });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers as Record<string, string>));
  request.on("error", () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  request.on("close", () => {
    if (request.rstCode !== 0) stream.close(request.rstCode);
  });
  stream.on("close", () => {
    if (stream.rstCode !== 0) request.close(constants.NGHTTP2_CANCEL);
  });
  stream.pipe(request);
  request.pipe(stream);
}
