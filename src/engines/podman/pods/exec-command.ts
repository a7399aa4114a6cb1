import { randomBytes } from "node:crypto";
import type { CallOptions, ExecResult } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import type { CommandResult, Host } from "../../../host/index.ts";
import type { PodIdentity } from "../../../model/index.ts";
import { reasonOf } from "../cli/podman-error.ts";
import { describePod, type PodmanContext } from "../context.ts";
import { readLives } from "./life.ts";
import { findGeneration, inspectContainers } from "./lists.ts";

/** Variable that the command and all that it begins are found by, when they have to be ended. */
const MARK = "STOWAGE_EXEC";

/** Drops what the command prints; podman's own reason is on the other stream. */
const QUIET = 'exec "$@" >/dev/null';

/** Ends processes with a mark until there are none: they may be beginning others. */
const END = [
  "tries=0",
  "while [ $tries -lt 50 ]; do",
  '  pids=$(grep -lzsx "$1" /proc/[0-9]*/environ | cut -d/ -f3)',
  '  [ -n "$pids" ] || exit 0',
  "  kill -KILL $pids 2>/dev/null",
  "  tries=$((tries + 1))",
  "done",
].join("\n");

/** A command and the container that it runs in. */
export interface ExecTarget {
  readonly identity: PodIdentity;
  readonly container: string;
  readonly command: readonly string[];
}

/** Runs a command in a container to its end. */
export async function execCommand(
  context: PodmanContext,
  target: ExecTarget,
  options: CallOptions & { readonly timeoutMs: number },
): Promise<ExecResult> {
  const { signal, timeoutMs } = options;
  const id = await runningId(context, target, signal);
  const mark = randomBytes(8).toString("hex");
  const podman = context.cli.command(["exec", "--env", `${MARK}=${mark}`, id, ...target.command]);
  try {
    const result = await context.host.run(["sh", "-c", QUIET, "sh", ...podman], {
      env: context.cli.env,
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    return { exitCode: exitCodeOf(result, target) };
  } catch (error) {
    const late = StowageError.is(error, "deadline_exceeded");
    if (!late && signal?.aborted !== true) throw error;
    // podman's end is not the command's
    await endMarked(context.host, mark);
    signal?.throwIfAborted();
    throw new StowageError(
      `Cannot run a command in container "${target.container}" to its end: it took longer than ${timeoutMs} ms and was killed; allow it more time`,
      { code: "deadline_exceeded", cause: error, context: { container: target.container } },
    );
  }
}

async function runningId(
  context: PodmanContext,
  { identity, container }: ExecTarget,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { containers } = await findGeneration(context, identity, signal);
  const listed = containers.get(container);
  const found = listed === undefined ? [] : await inspectContainers(context, [listed.Id], signal);
  const lives = await readLives(context.host, found, signal);
  const life = lives.get(listed?.Id ?? "");
  if (listed !== undefined && life?.alive === true && !life.waiting) return listed.Id;
  throw notRunning({ identity, container });
}

function notRunning({ identity, container }: Omit<ExecTarget, "command">): StowageError {
  return new StowageError(
    `Cannot run a command in container "${container}" of ${describePod(identity)}: it does not run; start it`,
    { code: "not_found", context: { pod: identity.pod, container } },
  );
}

/** The command's own exit code: where podman failed it gives one too, and its reason beside. */
function exitCodeOf(result: CommandResult, target: ExecTarget): number {
  const { exitCode } = result;
  if (exitCode < 125) return exitCode;
  const reason = reasonOf(result);
  if (/container state improper|no such container|no container with/.test(reason))
    throw notRunning(target);
  if (/OCI runtime|OCI permission|executable file not found/i.test(reason)) {
    throw new StowageError(
      `Cannot run a command in container "${target.container}": ${reason}; see that its image has it`,
      { code: "failed_precondition", context: { container: target.container } },
    );
  }
  return exitCode;
}

async function endMarked(host: Host, mark: string): Promise<void> {
  await host.run(["sh", "-c", END, "sh", `${MARK}=${mark}`], { timeoutMs: 10_000 });
}
