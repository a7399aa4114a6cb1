import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { StowageError } from "../../errors/index.ts";
import { systemCode } from "../local/file-error.ts";
import type { Channel } from "./channel.ts";
import { ChannelSocket } from "./channel-socket.ts";

/** What a socket's path may have: Linux takes 107, macOS 103, and Node cuts a longer one off. */
const PATH_BYTES_MAX = 103;
/** Where it is short, for one whose folder of temporary files is not. */
const SHORT = "/tmp";

/** Connects to a socket of the host. */
export type DialSocket = (path: string) => Promise<Channel>;

/** Sockets of this machine that lead to sockets of a host, in a folder that is this user's alone. */
export class Forwards {
  readonly #dial: DialSocket;
  readonly #sockets = new Set<Socket>();
  readonly #servers = new Map<string, Promise<Server>>();
  #folder: string | undefined;

  constructor(dial: DialSocket) {
    this.#dial = dial;
  }

  /** Path of the one that leads to a socket of the host. */
  async to(path: string): Promise<string> {
    const known = this.#servers.get(path);
    const server = known ?? this.#listen(path);
    if (known === undefined) this.#servers.set(path, server);
    return String((await server).address());
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers.values()) (await server.catch(() => undefined))?.close();
    this.#servers.clear();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #listen(path: string): Promise<Server> {
    this.#folder ??= makeFolder();
    const at = join(this.#folder, String(this.#servers.size));
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      const far = new ChannelSocket(this.#dial(path));
      // who connects here sees by the end of its connection that there is none over there
      pipeline(socket, far, socket).catch(() => socket.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, resolve);
    });
    return server.unref();
  }
}

/** @throws StowageError where nothing can be made there */
function makeFolder(): string {
  const own = `stw-ssh-${process.pid}-`;
  const longest = join(tmpdir(), `${own}XXXXXX`, "1000");
  const base = Buffer.byteLength(longest) > PATH_BYTES_MAX ? SHORT : tmpdir();
  try {
    removeLeftovers(base);
    return mkdtempSync(join(base, own));
  } catch (error) {
    throw new StowageError(
      `Cannot make a folder in ${base} for the sockets to hosts (${systemCode(error) ?? error}); make it writable, or set TMPDIR to another one`,
      { code: "failed_precondition", cause: error },
    );
  }
}

/** Removes the folders of processes that were killed. */
function removeLeftovers(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = /^stw-ssh-(\d+)-\w+$/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(base, name), { recursive: true, force: true });
    } catch {
      // another user's
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
