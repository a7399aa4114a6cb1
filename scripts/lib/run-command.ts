import { spawn } from "node:child_process";
import { StowageError } from "../../src/errors/index.ts";

/** How {@link runCommand} runs its command. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** @defaultValue "inherit" */
  readonly output?: "inherit" | "capture";
  /** Ends the command with SIGKILL after this time, its process group included. */
  readonly timeoutMs?: number;
}

/** How a command ended; `output` is both streams together, empty when they were inherited. */
export interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
  readonly timedOut: boolean;
}

/**
 * Runs a command without a shell.
 *
 * A command that a signal ended has exit code 1.
 *
 * @throws StowageError `not_found` when it cannot be started.
 */
export function runCommand(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<CommandResult> {
  const { cwd, env, output = "inherit", timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: output === "inherit" ? "inherit" : ["ignore", "pipe", "pipe"],
      // a group of its own, so that a command that hangs is ended with all that it started
      detached: timeoutMs !== undefined,
    });
    const chunks: Buffer[] = [];
    const collect = (chunk: Buffer) => void chunks.push(chunk);
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    let timedOut = false;
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
          }, timeoutMs);
    child.once("error", (cause) => {
      clearTimeout(timer);
      const message = `Cannot run command "${file}": ${cause.message}`;
      reject(new StowageError(message, { code: "not_found", cause }));
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ exitCode: code ?? 1, output: Buffer.concat(chunks).toString("utf8"), timedOut });
    });
  });
}
