import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  END_MARKED,
  END_MARKED_FOR_GOOD,
  EXEC_WATCH_MARK,
  type ExecOptions,
  type ExecResult,
  type ExecStreams,
  execMark,
  notBegun,
  notBegunCode,
} from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import {
  type CommandResult,
  HeldLine,
  type Host,
  LastBytes,
  openGuard,
  runInTerminal,
} from "../../../host/index.ts";
import { anySignal } from "../../../internal/index.ts";
import type { PodIdentity } from "../../../model/index.ts";
import { reasonOf } from "../cli/podman-error.ts";
import { describePod, type PodmanContext } from "../context.ts";
import { readLives } from "./life.ts";
import { findGeneration, inspectContainers } from "./lists.ts";

/** Drops what the command prints; podman's own reason is on the other stream. */
const QUIET = 'exec "$@" >/dev/null';

/** What podman says of a command that its runtime did not begin, and of a container that does not run. */
const NOT_BEGUN = /OCI runtime|OCI permission|executable file .*not found/i;
const NOT_RUNNING = /container state improper|no such container|no container with/;

/** The line that says so: first it names the runtime. */
const OWN_LINE = {
  leads: ["Error: "],
  begun: /^Error: [\w.-]*(?::.*)?$/s,
  whole: new RegExp(`${NOT_BEGUN.source}|${NOT_RUNNING.source}`, "i"),
};

/** Time in which podman ends once its command has been killed. */
const END_MS = 60_000;
/** The longest that a timer of Node's can wait: 24 days. */
const FOREVER_MS = 2 ** 31 - 1;
/** How often processes that have a mark are looked for, once they have to end. */
const POLL_MS = 50;

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
  options: ExecOptions,
): Promise<ExecResult> {
  const { signal, timeoutMs, streams } = options;
  const id = await runningId(context, target, signal);
  const name = randomBytes(8).toString("hex");
  const mark = execMark(name);
  const marks = [mark, `${EXEC_WATCH_MARK}=${name}`];
  const named = ["--env", mark, id, ...target.command];
  const { host, cli } = context;
  await using _guard =
    streams === undefined ? undefined : await openGuard(host, END_MARKED_FOR_GOOD, marks);
  const env = { ...cli.env, [EXEC_WATCH_MARK]: name };
  const running =
    streams === undefined
      ? runQuiet(context, { named, env }, timeoutMs)
      : runStreamed(context, { named, env }, streams);
  const ended = await endedWithin(running, timeoutMs, signal);
  if (!ended) await endMarked(host, marks, running);
  signal?.throwIfAborted();
  if (ended) return { exitCode: exitCodeOf(await running, target) };
  throw new StowageError(
    `Cannot run a command in container "${target.container}" to its end: it took longer than ${timeoutMs} ms and was killed; allow it more time`,
    { code: "deadline_exceeded", context: { container: target.container } },
  );
}

/** What podman's exec is given: its last words, and its environment. */
interface Asked {
  readonly named: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

function runQuiet(
  { host, cli }: PodmanContext,
  { named, env }: Asked,
  timeoutMs: number | undefined,
): Promise<CommandResult> {
  return host.run(["sh", "-c", QUIET, "sh", ...cli.command(["exec", ...named])], {
    env,
    timeoutMs: (timeoutMs ?? Number.POSITIVE_INFINITY) + END_MS,
  });
}

/** Passes on all that the command reads and prints; what podman itself has to say is at the end of stderr. */
async function runStreamed(
  { host, cli }: PodmanContext,
  { named, env }: Asked,
  { stdin, stdout, stderr, terminal }: ExecStreams,
): Promise<CommandResult> {
  const input = stdin === undefined ? {} : { stdin };
  if (terminal !== undefined) {
    const held = new HeldLine(OWN_LINE, stdout);
    const said = new LastBytes((bytes) => held.put(bytes));
    const exitCode = await runInTerminal(host, cli.command(["exec", "-i", "-t", ...named]), {
      ...terminal,
      ...input,
      env,
      output: (bytes) => said.put(bytes),
    });
    const ended = { exitCode, stdout: "", stderr: said.text };
    await held.end(isOwnWord(ended));
    return ended;
  }
  const held = new HeldLine(OWN_LINE, stderr);
  const said = new LastBytes((bytes) => held.put(bytes));
  const flags = stdin === undefined ? [] : ["-i"];
  const result = await host.run(cli.command(["exec", ...flags, ...named]), {
    ...input,
    env,
    output: { stdout, stderr: (bytes) => said.put(bytes) },
  });
  const ended = { ...result, stderr: said.text };
  await held.end(isOwnWord(ended));
  return ended;
}

/** Whether podman's own reason is the last of what was said: the command's exit code is never taken for one below 125. */
function isOwnWord(result: CommandResult): boolean {
  const reason = reasonOf(result);
  return result.exitCode >= 125 && (NOT_BEGUN.test(reason) || NOT_RUNNING.test(reason));
}

/** @returns whether it ended, well or not, before its time was over and before it was given up */
async function endedWithin(
  running: Promise<CommandResult>,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const done = new AbortController();
  const ends = [done.signal, ...(signal === undefined ? [] : [signal])];
  const late = delay(timeoutMs ?? FOREVER_MS, false, { signal: anySignal(ends) }).catch(
    () => false,
  );
  try {
    return await Promise.race([running.then(always, always), late]);
  } finally {
    done.abort();
  }
}

function always(): true {
  return true;
}

/**
 * Ends a command. podman is left to end by itself: one that is killed may have just asked for a process
 * that begins after it was looked for.
 */
async function endMarked(
  host: Host,
  marks: readonly string[],
  running: Promise<CommandResult>,
): Promise<void> {
  for (;;) {
    await host.run(["sh", "-c", END_MARKED, "sh", ...marks], { timeoutMs: END_MS });
    if (await endedWithin(running, POLL_MS, undefined)) return;
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
  if (!isOwnWord(result)) return result.exitCode;
  const reason = reasonOf(result);
  if (NOT_RUNNING.test(reason)) throw notRunning(target);
  const code = notBegunCode(reason);
  if (code !== undefined) throw notBegun(target, code, new Error(reason));
  throw new StowageError(
    `Cannot run a command in container "${target.container}": ${reason}; fix what it names`,
    { code: "failed_precondition", context: { container: target.container } },
  );
}
