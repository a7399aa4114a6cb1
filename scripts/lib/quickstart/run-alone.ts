import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { StowageError } from "../../../src/errors/index.ts";

/**
 * Holds a folder until it is disposed or this process ends, however it ends.
 *
 * On Linux the kernel itself is asked, by an abstract socket: it goes with the process, so that no
 * stale lock can be left. Elsewhere a socket in the folder does the same but for a crash, after which
 * it is taken over.
 *
 * @throws StowageError `aborted` naming the process that holds it
 */
export async function runAlone(dir: string): Promise<AsyncDisposable> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const holder = join(dir, "running.pid");
  const server = createServer((socket) => socket.destroy());
  try {
    await listen(server, lockName(dir));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new StowageError(
      `Cannot run the quickstart: another one is running (process ${readHolder(holder)}); wait until it has ended`,
      { code: "aborted", cause: error },
    );
  }
  server.unref();
  writeFileSync(holder, `${process.pid}\n`);
  return {
    [Symbol.asyncDispose]: async () => {
      rmSync(holder, { force: true });
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(name, resolve);
  });
}

function lockName(dir: string): string {
  const hash = createHash("sha256").update(dir).digest("hex").slice(0, 32);
  if (process.platform === "linux") return `\0stowage-quickstart-${hash}`;
  return join(dir, "running.sock");
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "just started";
  }
}
