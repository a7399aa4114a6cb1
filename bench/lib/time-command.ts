import { spawn } from "node:child_process";
import { StowageError } from "../../src/errors/index.ts";

const KEPT_ERRORS = 4096;

/** How {@link timeCommand} runs its command. */
export interface TimeOptions {
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** @defaultValue [0] */
  readonly exitCodes?: readonly number[];
  readonly signal?: AbortSignal;
}

/**
 * Runs a command, its output thrown away, and returns how many milliseconds it took from the call of
 * `spawn` to its end.
 *
 * @throws StowageError `internal` with the end of what it said when its exit code is another one
 */
export async function timeCommand(
  file: string,
  args: readonly string[],
  options: TimeOptions = {},
): Promise<number> {
  const { cwd, env, exitCodes = [0], signal } = options;
  signal?.throwIfAborted();
  const began = performance.now();
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-KEPT_ERRORS);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const ms = performance.now() - began;
  signal?.throwIfAborted();
  if (code !== null && exitCodes.includes(code)) return ms;
  throw new StowageError(
    `Cannot measure "${file} ${args.slice(0, 6).join(" ")}": it ended with ${code ?? "a signal"} and said:\n${errors.trim()}`,
    { code: "internal" },
  );
}
