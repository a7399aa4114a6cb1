import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../src/errors/index.ts";
import { findOnPath, searchPath } from "../../src/internal/index.ts";
import { removeContainerdLeftovers } from "./containerd-leftovers.ts";
import {
  type PrivateContainerdPaths,
  privateContainerdConfig,
  privateContainerdPaths,
  SOCKET_PATH_MAX_BYTES,
} from "./private-containerd-config.ts";
import { endProcess, processMark, readArgv, sendSignal } from "./process-table.ts";

/** A containerd of our own: its root, state, socket and log all lie in `dir`. */
export interface PrivateContainerd {
  readonly dir: string;
  /** Absolute path of the gRPC socket. */
  readonly address: string;
  readonly pid: number;
  /** False when one was found alive in `dir` and is used as it is. */
  readonly started: boolean;
}

/** How {@link startPrivateContainerd} starts it. */
export interface PrivateContainerdOptions {
  /** An absolute path, made when missing; short, as the socket's path must stay under 100 bytes. */
  readonly dir: string;
  /** @defaultValue 20_000 */
  readonly readyTimeoutMs?: number;
}

/**
 * Starts a containerd that lives on after this process, and waits until its socket answers.
 *
 * Idempotent: one that is alive in `dir` is used. End it with {@link stopPrivateContainerd}.
 *
 * @throws StowageError `failed_precondition` when containerd or runc is not on PATH, this is not root,
 * or the path is too long; `unavailable` with the end of the daemon's log when it does not come up.
 */
export async function startPrivateContainerd(
  options: PrivateContainerdOptions,
): Promise<PrivateContainerd> {
  const { dir, readyTimeoutMs = 20_000 } = options;
  const alive = findPrivateContainerd(dir);
  const paths = privateContainerdPaths(dir);
  if (alive !== undefined) {
    await waitUntilReady(paths, alive.pid, readyTimeoutMs);
    return alive;
  }
  const reason = whyNoPrivateContainerd() ?? whyNotIn(paths);
  if (reason !== undefined) {
    throw new StowageError(`Cannot start containerd in "${dir}": ${reason}`, {
      code: "failed_precondition",
    });
  }
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  await removeContainerdLeftovers(paths);
  const pid = spawnDaemon(paths);
  try {
    await waitUntilReady(paths, pid, readyTimeoutMs);
  } catch (error) {
    await endProcess(pid, 1_000);
    throw error;
  }
  return { dir, address: paths.address, pid, started: true };
}

/** The containerd that is alive in `dir`, or undefined. */
export function findPrivateContainerd(dir: string): PrivateContainerd | undefined {
  const paths = privateContainerdPaths(dir);
  const pid = readPid(paths.pidFile);
  // the number may have gone to another process: only the configuration in its argv proves that it is ours
  if (pid === undefined || !readArgv(pid).includes(paths.config)) return undefined;
  return { dir, address: paths.address, pid, started: false };
}

/**
 * Stops the containerd of `dir` with all that runs in it, and removes `dir`.
 *
 * Idempotent, and works after the daemon died: containers, shims, mounts and files go all the same.
 */
export async function stopPrivateContainerd(dir: string): Promise<void> {
  const paths = privateContainerdPaths(dir);
  const alive = findPrivateContainerd(dir);
  if (alive !== undefined) await endProcess(alive.pid, 10_000);
  await removeContainerdLeftovers(paths);
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Kills the containerd of `dir` as a crash would, and starts it again: what runs in it goes on.
 *
 * @throws StowageError `unavailable` when it does not come up
 */
export async function restartPrivateContainerd(
  dir: string,
  readyTimeoutMs = 60_000,
): Promise<void> {
  const paths = privateContainerdPaths(dir);
  const alive = findPrivateContainerd(dir);
  if (alive !== undefined) {
    sendSignal(alive.pid, "SIGKILL");
    await endProcess(alive.pid, 0);
  }
  await waitUntilReady(paths, spawnDaemon(paths), readyTimeoutMs);
}

/** Why no containerd can be started by this process on this machine, or undefined when it can. */
export function whyNoPrivateContainerd(): string | undefined {
  const missing = ["containerd", "runc"].filter((name) => findOnPath(name) === undefined);
  if (process.platform !== "linux") return "containerd needs Linux";
  if (missing.length > 0) return `${missing.join(" and ")} not found on PATH`;
  if (process.getuid?.() !== 0) return "containerd needs root";
  return undefined;
}

function whyNotIn(paths: PrivateContainerdPaths): string | undefined {
  const bytes = Buffer.byteLength(paths.address);
  if (bytes <= SOCKET_PATH_MAX_BYTES) return undefined;
  return `its socket's path has ${bytes} bytes, more than ${SOCKET_PATH_MAX_BYTES}; use a shorter folder`;
}

function spawnDaemon(paths: PrivateContainerdPaths): number {
  rmSync(paths.address, { force: true });
  rmSync(`${paths.address}.ttrpc`, { force: true });
  writeFileSync(paths.config, privateContainerdConfig(paths), { mode: 0o600 });
  const log = openSync(paths.log, "a", 0o600);
  // a session of its own: Ctrl-C in the terminal must not reach the daemon before those who clean up with it
  const child = spawn(findOnPath("containerd") ?? "containerd", ["--config", paths.config], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, PATH: searchPath() },
  });
  closeSync(log);
  child.on("error", () => undefined);
  child.unref();
  const pid = child.pid ?? 0;
  writeFileSync(paths.pidFile, `${pid}\n`, { mode: 0o600 });
  return pid;
}

async function waitUntilReady(
  paths: PrivateContainerdPaths,
  pid: number,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await answers(paths.address))) {
    const state =
      processMark(pid) === undefined
        ? "it ended at once"
        : Date.now() > deadline
          ? `its socket did not answer within ${timeoutMs} ms`
          : undefined;
    if (state !== undefined) {
      const message = `Cannot start containerd: ${state}; the end of its log is:\n${logTail(paths.log)}`;
      throw new StowageError(message, { code: "unavailable" });
    }
    await delay(25);
  }
}

/** The daemon listens only once its plugins are loaded, so a connection is readiness. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function logTail(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-5).join("\n");
}
