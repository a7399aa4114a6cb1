import { StowageError } from "../errors/index.ts";
import type { Host } from "../host/index.ts";

/** How to run a script of ours. */
export interface ScriptOptions {
  /** What it does, for the error: `attach pod "web"`. */
  readonly doing: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly timeoutMs?: number;
  /** What to do when it fails; else what networks need. */
  readonly remedy?: string;
}

/**
 * Runs a script of ours on a host. It is never interrupted by an abort: what it does is short, and half of
 * it would have to be repaired.
 *
 * @returns its stdout
 * @throws StowageError `failed_precondition` with what it said last
 */
export async function runScript(
  host: Host,
  script: string,
  args: readonly string[],
  { doing, env, stdin, timeoutMs, remedy = REMEDY }: ScriptOptions,
): Promise<string> {
  const { exitCode, stdout, stderr } = await host.run(["sh", "-c", script, "sh", ...args], {
    ...(env === undefined ? {} : { env }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(stdin === undefined ? {} : { stdin: bytesOf(stdin) }),
  });
  if (exitCode === 0) return stdout;
  const said = stderr.trim().split("\n").slice(-2).join("; ").slice(0, 300);
  throw new StowageError(
    `Cannot ${doing}: ${said || `a command ended with ${exitCode}`}; ${remedy}`,
    {
      code: "failed_precondition",
    },
  );
}

const REMEDY =
  "a fleet's network needs root, and the programs ip, nsenter, unshare, mountpoint and iptables on the host";

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
