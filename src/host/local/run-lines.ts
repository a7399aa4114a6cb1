import { spawn } from "node:child_process";
import { once } from "node:events";
import { StringDecoder } from "node:string_decoder";
import { StowageError } from "../../errors/index.ts";
import type { HostCallOptions } from "../host.ts";
import { killTree } from "./kill-tree.ts";
import { programEnvironment, spawnError } from "./run-program.ts";

/** End of what a program said that is repeated when it fails. */
const STDERR_CHARACTERS = 2000;
/** The longest line that is read. */
const LINE_CHARACTERS_MAX = 1024 * 1024;

/** Runs a program and gives its lines of output as they come; whoever leaves the loop kills it. */
export async function* runLines(
  command: readonly string[],
  options: HostCallOptions & { readonly env?: Readonly<Record<string, string>> } = {},
): AsyncGenerator<string, void, undefined> {
  const { signal, env } = options;
  const [program = "", ...args] = command;
  signal?.throwIfAborted();
  const child = spawn(program, args, {
    cwd: "/",
    env: programEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS);
  });
  const kill = (): void => killTree(child);
  signal?.addEventListener("abort", kill, { once: true });
  const ended = once(child, "close") as Promise<[number | null]>;
  // told below, or of no interest any more
  ended.catch(() => undefined);
  try {
    yield* linesOf(child.stdout, program);
    const [exitCode] = await ended;
    signal?.throwIfAborted();
    if (exitCode !== 0) throw hasEnded(program, exitCode, stderr);
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof Error && "syscall" in error ? spawnError(program, error) : error;
  } finally {
    signal?.removeEventListener("abort", kill);
    kill();
  }
}

/** Lines of what a program prints. */
export async function* linesOf(
  output: AsyncIterable<Buffer>,
  program: string,
): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const bytes of output) {
    const lines = (rest + decoder.write(bytes)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length <= LINE_CHARACTERS_MAX) continue;
    throw new StowageError(
      `Cannot read the output of program "${program}": a line is longer than ${LINE_CHARACTERS_MAX} characters; run it on the host, and see what it prints`,
      { code: "resource_exhausted" },
    );
  }
  if (rest !== "") yield rest;
}

/** The error of a program whose lines are read, when it failed. */
export function hasEnded(program: string, exitCode: number | null, stderr: string): StowageError {
  const said = stderr.trim().split("\n").at(-1) ?? "";
  const how = exitCode === null ? "it was killed" : `it ended with exit code ${exitCode}`;
  return new StowageError(
    `Cannot read the output of program "${program}": ${how}${said === "" ? "" : ` (${said})`}; run it again`,
    { code: "unavailable", retryable: true },
  );
}
