import { once, setMaxListeners } from "node:events";
import { hostname, userInfo } from "node:os";
import type { Writable } from "node:stream";
import type { Connector } from "../reconcile/index.ts";
import type { CommandContext, Output } from "./context.ts";
import { runCli } from "./run-cli.ts";
import { paintOf } from "./text/paint.ts";

/** As a shell says of what a broken pipe ended. */
const UNREAD_EXIT_CODE = 141;
const FAILED_EXIT_CODE = 1;

/** Streams that take nothing any more. */
const closed = new Set<Writable>();
let goesOnUnread = false;

void main().then((exitCode) => {
  process.exitCode = exitCode;
});

async function main(): Promise<number> {
  const [drain, abort] = [new AbortController(), new AbortController()];
  // each host has its own; Node warns of a leak where there are more than ten
  setMaxListeners(0, drain.signal, abort.signal);
  const stop = (): void => onSignal(drain, abort);
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => onUnread(stream, error));
  try {
    return await runCli(process.argv.slice(2), processContext(drain.signal, abort.signal));
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

/** The first signal lets running steps come to their end, the second cuts them off, a third ends the process. */
function onSignal(drain: AbortController, abort: AbortController): void {
  // an orderly exit would wait for a file that never opens
  if (abort.signal.aborted) process.kill(process.pid, "SIGKILL");
  if (drain.signal.aborted) abort.abort(new DOMException("Stopped at once", "AbortError"));
  else drain.abort(new DOMException("Stopped", "AbortError"));
}

/** Whoever read our output went away (`stowage logs | head`), or its disk is full: there is nobody left to tell. */
function onUnread(stream: Writable, error: NodeJS.ErrnoException): void {
  closed.add(stream);
  if (goesOnUnread) return;
  if (error.code === "EPIPE") process.exit(UNREAD_EXIT_CODE);
  if (stream !== process.stderr)
    process.stderr.write(`error: Cannot write the output: ${error.message}\n`);
  process.exit(FAILED_EXIT_CODE);
}

function processContext(drain: AbortSignal, abort: AbortSignal): CommandContext {
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    bytes: async () => (await import("./terminal-streams.ts")).processStreams,
    env: process.env,
    cwd: process.cwd(),
    platform: process.platform,
    program: process.argv[1] ?? "",
    isInteractive: () => process.stdin.isTTY === true && process.stderr.isTTY === true,
    paint: paintOf(false),
    drain,
    abort,
    goOnUnread: () => {
      goesOnUnread = true;
    },
    appliedBy: `${userName()}@${hostname()}`,
    connector: lazyConnector(),
    now: () => new Date(),
    confirm: (question) => ask(question, drain),
  };
}

/** The way to hosts, loaded when a command takes it. */
function lazyConnector(): Connector {
  let loaded: Promise<Connector> | undefined;
  const connector = (): Promise<Connector> => {
    loaded ??= loadConnector();
    return loaded;
  };
  return {
    read: async (...host) => await (await connector()).read(...host),
    open: async (...host) => await (await connector()).open(...host),
  };
}

async function loadConnector(): Promise<Connector> {
  const { createConnector } = await import("./connector.ts");
  const { SYSTEMD_RUNNING, SYSTEMD_UNITS } = await import("../model/index.ts");
  const [, program = ""] = process.argv;
  return createConnector({
    // at boot this program is run, by this Node
    boot: {
      running: SYSTEMD_RUNNING,
      units: SYSTEMD_UNITS,
      program: [process.execPath, program],
    },
    sshConfig: process.env["STOWAGE_SSH_CONFIG"] || undefined,
  });
}

function output(
  stream: Writable & { readonly isTTY?: boolean; readonly columns?: number },
): Output {
  return {
    write: (text) => {
      if (!closed.has(stream)) stream.write(text);
    },
    ready: async () => {
      if (!stream.writableNeedDrain || closed.has(stream)) return;
      try {
        await once(stream, "drain");
      } catch (error) {
        // nobody reads any more: what goes on all the same waits for nobody
        if (!closed.has(stream)) throw error;
      }
    },
    isTerminal: stream.isTTY === true,
    get columns() {
      // a terminal that does not know its size says 0
      return stream.isTTY === true ? stream.columns || undefined : undefined;
    },
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}

async function ask(question: string, signal: AbortSignal): Promise<boolean> {
  const { createInterface } = await import("node:readline");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise<boolean>((resolve) => {
      lines.question(`${question} `, { signal }, (answer) =>
        resolve(answer.trim().toLowerCase() === "yes"),
      );
      lines.once("close", () => resolve(false));
      lines.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
      signal.addEventListener("abort", () => resolve(false), { once: true });
    });
  } finally {
    lines.close();
  }
}
