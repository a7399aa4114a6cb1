import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StowageError } from "../../errors/index.ts";
import { anySignal } from "../../internal/index.ts";
import type { ByteSink, CommandResult, RunOptions } from "../host.ts";
import { PROGRAM_PATH } from "../program-path.ts";
import { systemCode } from "./file-error.ts";
import { killTree } from "./kill-tree.ts";

const SPAWN_STATES: Readonly<Record<string, string>> = {
  ENOENT: "it is not installed, or not on PATH",
  E2BIG: "its arguments and its environment are longer than the kernel takes; declare less",
};

/** What a program may print where nobody takes it as it comes. */
export const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** Time limit of a program without a declared one: what is run here takes moments. */
const TIMEOUT_MS = 120_000;

/**
 * Runs a program to its end. Its environment is a fixed one: neither the user's language nor a
 * secret of theirs reaches it.
 */
export async function runProgram(
  command: readonly string[],
  options: RunOptions = {},
): Promise<CommandResult> {
  return await runWithin(command, options, spawnProgram);
}

/** Begins a program and waits for its end; an abort of the signal kills it. */
export type Spawn = (
  program: string,
  args: readonly string[],
  options: RunOptions,
  signal: AbortSignal,
) => Promise<CommandResult>;

/** Runs a program with the time that it may take. */
export async function runWithin(
  command: readonly string[],
  options: RunOptions,
  spawnIt: Spawn,
): Promise<CommandResult> {
  const [program, ...args] = command;
  if (program === undefined || program === "") {
    throw new StowageError("Cannot run a program: none is named", { code: "invalid_argument" });
  }
  const {
    timeoutMs = options.output === undefined ? TIMEOUT_MS : Number.POSITIVE_INFINITY,
    signal,
  } = options;
  const deadline = Number.isFinite(timeoutMs) ? AbortSignal.timeout(timeoutMs) : undefined;
  const ends = [signal, deadline].filter((each) => each !== undefined);
  // asked itself: one that looks at the clock is no part of what is made of it
  signal?.throwIfAborted();
  try {
    return await spawnIt(program, args, options, anySignal(ends));
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline?.aborted !== true) throw error;
    throw new StowageError(`Cannot run program "${program}": it took longer than ${timeoutMs} ms`, {
      code: "deadline_exceeded",
      cause: error,
    });
  }
}

function spawnProgram(
  program: string,
  args: readonly string[],
  { stdin, env, cwd = "/", output }: RunOptions,
  signal: AbortSignal,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = begin(program, args, {
      cwd,
      env: programEnvironment(env),
      stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let failure: unknown;
    const kill = () => killTree(child);
    signal.addEventListener("abort", kill, { once: true });
    const fail = (error: unknown): void => {
      failure ??= error;
      kill();
    };
    const [stdout, stderr] =
      output === undefined
        ? [collect(child.stdout, kill), collect(child.stderr, kill)]
        : [drain(child.stdout, output.stdout, fail), drain(child.stderr, output.stderr, fail)];
    feed(child.stdin, stdin).catch(fail);
    child.once("error", (error) => {
      signal.removeEventListener("abort", kill);
      reject(signal.aborted ? signal.reason : spawnError(program, error));
    });
    child.once("close", async (code, ended) => {
      await Promise.all([stdout.done, stderr.done]);
      signal.removeEventListener("abort", kill);
      if (signal.aborted) reject(signal.reason);
      else if (failure !== undefined) reject(failure);
      else if (stdout.overflow || stderr.overflow) reject(tooMuch(program));
      else {
        const exitCode = code ?? 128 + constants.signals[ended ?? "SIGKILL"];
        resolve({ exitCode, stdout: stdout.text(), stderr: stderr.text() });
      }
    });
  });
}

/** Spawns; what is wrong with the arguments themselves is thrown at once, and is the same error as any other. */
function begin(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(program, args, options);
  } catch (error) {
    throw error instanceof Error ? spawnError(program, error) : error;
  }
}

/** Where programs of the host are looked for, whoever runs Stowage. */
export function programSearchPath(): string {
  return [process.env["PATH"], PROGRAM_PATH].filter(Boolean).join(":");
}

/** What a program of the host is run with. */
export function programEnvironment(
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return {
    PATH: programSearchPath(),
    HOME: "/root",
    LC_ALL: "C",
    ...more,
  };
}

/** Gives a program its input. One that ends without reading all of it is no failure: its status says why. */
async function feed(
  target: Writable | null,
  source: AsyncIterable<Uint8Array> | undefined,
): Promise<void> {
  if (target === null || source === undefined) return;
  try {
    await pipeline(source, target);
  } catch (error) {
    const code = systemCode(error);
    if (code !== "EPIPE" && code !== "ECONNRESET" && code !== "ERR_STREAM_PREMATURE_CLOSE")
      throw error;
  }
}

interface Collected {
  overflow: boolean;
  /** Comes when all of it was taken; never fails. */
  readonly done?: Promise<void>;
  text(): string;
}

function collect(stream: Readable | null, onOverflow: () => void): Collected {
  const parts: Buffer[] = [];
  let bytes = 0;
  const collected = { overflow: false, text: () => Buffer.concat(parts).toString("utf8") };
  stream?.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes <= OUTPUT_BYTES_MAX) parts.push(part);
    else {
      collected.overflow = true;
      onOverflow();
    }
  });
  return collected;
}

/** Gives output to a sink, no faster than that takes it. */
function drain(stream: Readable | null, sink: ByteSink, fail: (error: unknown) => void): Collected {
  const pass = async (): Promise<void> => {
    for await (const bytes of stream ?? []) await sink(bytes as Buffer);
  };
  return { overflow: false, text: () => "", done: pass().catch(fail) };
}

/** The error of a program that could not be begun. */
export function spawnError(program: string, error: Error): StowageError {
  const code = systemCode(error);
  const state = SPAWN_STATES[code ?? ""] ?? error.message;
  return new StowageError(`Cannot run program "${program}": ${state}`, {
    code: code === "ENOENT" ? "not_found" : code === "EACCES" ? "permission_denied" : "internal",
    cause: error,
  });
}

/** The error of a program that prints more than that. */
export function tooMuch(program: string): StowageError {
  return new StowageError(
    `Cannot read output of program "${program}": it is longer than ${OUTPUT_BYTES_MAX} bytes`,
    { code: "resource_exhausted" },
  );
}
