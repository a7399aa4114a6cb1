import { randomBytes } from "node:crypto";
import {
  type ExecOptions,
  type ExecResult,
  type ExecStreams,
  type NotBegunCode,
  notBegun,
  notBegunCode,
} from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import {
  AfterLine,
  type CommandResult,
  HeldLine,
  LastBytes,
  openGuard,
  runInTerminal,
} from "../../../host/index.ts";
import { anySignal, onAbort } from "../../../internal/index.ts";
import { objectName, type PodIdentity } from "../../../model/index.ts";
import { describePod, type RktContext } from "../context.ts";
import { appName } from "../layout.ts";
import { cgroupDirs, EXEC_PREFIX, processDir } from "../run/cgroups.ts";
import { quote, quoteAll } from "../run/quote.ts";
import { standingOf } from "./container-state.ts";
import { readPod, type SeenPods } from "./read-pods.ts";

/** What the wrapper within the container says before it runs a command, and when it cannot. */
const BEGUN = "stowage: begun";
const NO_COMMAND = "stowage: no such command";
const NO_PROGRAM = "stowage: not a program that may be run";

/** Lines by which rkt's flavours say that a command could not be run. */
const LEADS = ["fly-enter: exec failed", "enter: ", "Error: Unable to"];
const NOT_RUN = new RegExp(`^(?:${LEADS.join("|")})`, "m");
const OWN_LINE = { leads: LEADS, begun: NOT_RUN, whole: NOT_RUN };

/** Time that ending a command takes. */
const END_MS = 30_000;

/** A command in a container. */
export interface ExecInput {
  readonly identity: PodIdentity;
  readonly container: string;
  readonly command: readonly string[];
}

/**
 * Runs a command in a running container by rkt's `enter`, with that container's limits. What it starts
 * ends with it when it takes too long or is given up.
 */
export async function execCommand(
  context: RktContext,
  { identity, container, command }: ExecInput,
  { timeoutMs, signal, streams }: ExecOptions,
): Promise<ExecResult> {
  const { pod, seen } = await readPod(context, identity, objectName(identity), [], signal);
  const standing =
    pod?.file?.containers[container] === undefined ? undefined : standingOf(seen, pod, container);
  if (pod === undefined || standing?.state !== "running" || standing.pid === undefined)
    throw notRunning(identity, container);
  const workingDir = workingDirOf(standing.rktPod?.manifestText ?? pod.manifests.get(container));
  const uuid = pod.file?.containers[container]?.uuid ?? "";
  const app = appName(identity, container);
  const isWrapped = !isPlain(workingDir, command) || (await hasShell(context, standing.pid));
  const words = isWrapped ? within(workingDir, command, streams === undefined) : command;
  const enter = context.cli.command("enter", `--app=${app}`, uuid, ...words);
  // rkt's fly enters the root only: the rest of the namespaces is ours
  const joined = ["nsenter", `--target=${standing.pid}`, "--mount", "--uts", "--net", "--"];
  const id = `${EXEC_PREFIX}${randomBytes(6).toString("hex")}`;
  const line = context.flavor === "fly" ? [...joined, ...enter] : enter;
  const kill = killScript(seen, app, id);
  await using _guard =
    streams === undefined
      ? undefined
      : await openGuard(context.host, lateKillScript(seen, app, id));
  // it is ended below, inside the container too; this is for what cannot be ended so
  const run =
    streams === undefined
      ? context.host.run(["sh", "-c", execScript(seen, app, id, line)], {
          timeoutMs: (timeoutMs ?? Number.POSITIVE_INFINITY) + END_MS,
        })
      : runStreamed(context, streamScript(seen, app, id, line), streams, isWrapped);
  const ended = await runToEnd(context, run, kill, timeoutMs, signal);
  if (ended === undefined)
    throw new StowageError(
      `Cannot run a command in container "${container}" to its end: it took longer than ${timeoutMs} ms and was killed; allow it more time`,
      { code: "deadline_exceeded", context: { container } },
    );
  const exitCode = Number(ended.stdout.trim());
  if (ended.stdout.trim() !== "" && hasRun(exitCode, ended.stderr, isWrapped)) return { exitCode };
  const reason = reasonOf(ended.stderr);
  const code = codeOf(reason, isWrapped);
  if (code !== undefined) throw notBegun({ container, command }, code);
  throw new StowageError(
    `Cannot run a command in container "${container}" of ${describePod(identity)} on rkt: ${reason}; run "rkt enter" by hand`,
    { code: "failed_precondition", context: { pod: identity.pod, container } },
  );
}

/** Why it was not begun: by the word of the wrapper, else by rkt's, which is about the wrapper's shell where there is one. */
function codeOf(reason: string, isWrapped: boolean): NotBegunCode | undefined {
  if (reason === NO_COMMAND) return 127;
  if (reason === NO_PROGRAM) return 126;
  return isWrapped ? undefined : notBegunCode(reason);
}

/** Whether rkt can run a command itself: it begins in the container's root, and on fly looks for no program. */
function isPlain(workingDir: string, [program]: readonly string[]): boolean {
  return workingDir === "/" && program?.startsWith("/") === true;
}

/** Whether a container has the shell that can say that a command was begun. */
async function hasShell({ host, flavor }: RktContext, pid: number): Promise<boolean> {
  // on the host flavour it is not the container's own process
  if (flavor === "host") return false;
  const shell = `/proc/${pid}/root/bin/sh`;
  return (await host.snapshot({ exist: [shell] })).existing.has(shell);
}

/** Whether a command was run: rkt's status may be the command's own, or 0 when nothing was done. */
function hasRun(exitCode: number, stderr: string, isWrapped: boolean): boolean {
  if (isWrapped) return stderr.split("\n").includes(BEGUN);
  return exitCode === 0 || !NOT_RUN.test(stderr);
}

/**
 * A command line within the container that says that it has begun.
 *
 * @param isQuiet whether all that it prints is dropped: what it leaves behind then holds no pipe open
 */
function within(
  workingDir: string,
  command: readonly string[],
  isQuiet: boolean,
): readonly string[] {
  const run = isQuiet ? 'exec "$@" 2>&1' : 'exec "$@"';
  // of a name without a slash the shell may know a program that it has in itself
  const script = `say() { printf '\\n%s\\n' "$1" >&2; }
cd -- "$0" || exit 254
case $1 in */*) [ -e "$1" ];; *) command -v -- "$1" >/dev/null;; esac || { say '${NO_COMMAND}'; exit 254; }
case $1 in */*) [ -f "$1" ] && [ -x "$1" ];; esac || { say '${NO_PROGRAM}'; exit 254; }
say '${BEGUN}'; ${run}`;
  return ["/bin/sh", "-c", script, workingDir, ...command];
}

function workingDirOf(manifest: string | undefined): string {
  try {
    const { apps } = JSON.parse(manifest ?? "") as {
      apps: readonly { app: { workingDirectory?: string } }[];
    };
    return apps[0]?.app.workingDirectory ?? "/";
  } catch {
    return "/";
  }
}

/** How a command is run among the processes of its container. */
function asProcess(
  { home }: SeenPods,
  app: string,
  id: string,
  command: readonly string[],
): string {
  const own = processDir(home, app);
  const enter = cgroupDirs(home, app)
    .filter((directory) => directory !== own)
    .map((directory) => `echo 0 >${quote(directory)}/cgroup.procs`);
  return quote(`mkdir ${own}/${id} && echo 0 >${own}/${id}/cgroup.procs
${enter.join("\n")}
exec ${quoteAll(command)}`);
}

/** Passes all of it on, and ends as the command does. */
function streamScript(seen: SeenPods, app: string, id: string, command: readonly string[]): string {
  // keys of a terminal are the command's own: this waits for what it does about them
  return `trap : INT QUIT
sh -c ${asProcess(seen, app, id, command)}
code=$?
${leave(seen, app, id)}
exit $code`;
}

/** Runs it with its streams; @returns what the other way of running it gives */
async function runStreamed(
  { host }: RktContext,
  script: string,
  { stdin, stdout, stderr, terminal }: ExecStreams,
  isWrapped: boolean,
): Promise<Pick<CommandResult, "stdout" | "stderr">> {
  const words = ["sh", "-c", script];
  const input = stdin === undefined ? {} : { stdin };
  const held = new HeldLine(OWN_LINE, terminal === undefined ? stderr : stdout);
  const end = new LastBytes((bytes) => held.put(bytes));
  // what comes before the command's own output is rkt's
  const after = new AfterLine(/\r?\nstowage: begun\r?\n/, (bytes) => end.put(bytes));
  const said = (bytes: Uint8Array) => (isWrapped ? after.put(bytes) : end.put(bytes));
  const exitCode =
    terminal === undefined
      ? (await host.run(words, { ...input, output: { stdout, stderr: said } })).exitCode
      : await runInTerminal(host, words, { ...terminal, ...input, output: said });
  await held.end(!isWrapped && !hasRun(exitCode, end.text, isWrapped));
  const begun = after.isFound ? `${BEGUN}\n` : "";
  return {
    stdout: String(exitCode),
    stderr: `${after.held}${begun}${end.text}`.replaceAll("\r\n", "\n"),
  };
}

/** Prints the command's status; of what the command prints only the beginning of its stderr is kept. */
function execScript(seen: SeenPods, app: string, id: string, command: readonly string[]): string {
  return `{ {
  sh -c ${asProcess(seen, app, id, command)} </dev/null >/dev/null 3>&-
  echo $? >&3
} 2>&1 | { head -c 4096; echo; grep -ax -m1 '${BEGUN}'; cat >/dev/null; } >&2 3>&-; } 3>&1
${leave(seen, app, id)}
exit 0`;
}

/** Gives up the cgroup of a command that ended; what it leaves behind is the container's. */
function leave({ home }: SeenPods, app: string, id: string): string {
  const own = processDir(home, app);
  const dir = `${own}/${id}`;
  return `rmdir ${dir} 2>/dev/null || { for p in $(cat ${dir}/cgroup.procs); do echo $p >${own}/cgroup.procs; done; rmdir ${dir}; } 2>/dev/null`;
}

function killScript({ home }: SeenPods, app: string, id: string): string {
  const file = `${processDir(home, app)}/${id}/cgroup.procs`;
  return `n=0
while [ $n -lt 100 ]; do
  p=$(cat ${file} 2>/dev/null)
  [ -z "$p" ] && [ $n -gt 2 ] && exit 0
  [ -n "$p" ] && kill -9 $p 2>/dev/null
  n=$((n + 1))
  sleep 0.02
done`;
}

/** The same when nobody is left to wait for it: what is to run it may not have begun, or be gone before its end. */
function lateKillScript({ home }: SeenPods, app: string, id: string): string {
  const dir = `${processDir(home, app)}/${id}`;
  return `n=0
while [ $n -lt 100 ]; do
  p=$(cat ${dir}/cgroup.procs 2>/dev/null)
  [ -n "$p" ] && kill -9 $p 2>/dev/null && n=0
  n=$((n + 1))
  sleep 0.02
done
rmdir ${dir} 2>/dev/null`;
}

/** @returns undefined when it took too long; it is dead then. */
async function runToEnd<T>(
  { host }: RktContext,
  run: Promise<T>,
  kill: string,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const ends = anySignal([timeout, signal].filter((each) => each !== undefined));
  let giveUp = (): void => {};
  const given = new Promise<undefined>((resolve) => {
    giveUp = () => resolve(undefined);
  });
  using _ = onAbort(ends, giveUp);
  const result = await Promise.race([run, given]);
  if (result !== undefined) return result;
  await host.run(["sh", "-c", kill]);
  await run.catch(() => undefined);
  signal?.throwIfAborted();
  return undefined;
}

function reasonOf(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && line !== BEGUN);
  return lines.at(-1)?.trim().slice(0, 200) ?? "rkt enter ended and did not run it";
}

function notRunning(identity: PodIdentity, container: string): StowageError {
  return new StowageError(
    `Cannot run a command in container "${container}" of ${describePod(identity)}: it does not run; start it`,
    { code: "not_found", context: { pod: identity.pod, container } },
  );
}
