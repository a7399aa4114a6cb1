import { randomBytes } from "node:crypto";
import {
  END_ALL_MARKED,
  END_MARKED_FOR_GOOD,
  type ExecOptions,
  type ExecResult,
  execMark,
  notBegun,
  notBegunCode,
} from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Tasks } from "../../../gen/containerd/services/tasks/v1/tasks_pb.ts";
import { openGuard } from "../../../host/index.ts";
import type { PodIdentity } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { PROCESS_TYPE_URL, specBytes } from "../spec/stored-spec.ts";
import { containerId } from "./container-id.ts";
import { getContainer, storedSpecOf } from "./container-records.ts";
import { type ExecProcess, ExecRelay, keepSize } from "./exec-streams.ts";
import { describePod, type PodContext } from "./pod-context.ts";
import { getTask, killTask, SHIM_ANSWER_MS, SIGKILL, waitForTask } from "./tasks.ts";

/** A command in a container. */
export interface ExecInput {
  readonly identity: PodIdentity;
  readonly container: string;
  readonly command: readonly string[];
}

/**
 * Ends a command for good, with the mark `$1`. The shim of a container is the parent of its first process, `$2`, and works in that
 * container's folder: in the file `$3` beside it it keeps the id of a command's first process, until the command's record goes.
 */
const END_FOR_GOOD = `shim=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' "/proc/$2/stat" 2>/dev/null)
set -- "$1" "" "/proc/$shim/cwd/../$3"
${END_MARKED_FOR_GOOD}`;

/** Runs a command in a running container with that container's rights, environment and directory. */
export async function execCommand(
  context: PodContext,
  input: ExecInput,
  options: ExecOptions,
): Promise<ExecResult> {
  const { client, host, directories } = context;
  const { streams, signal } = options;
  const name = randomBytes(8).toString("hex");
  const mark = execMark(name);
  const { id, pid, process } = await processOf(context, input, mark, options);
  const execId = `stw-exec-${name}`;
  const dir = `${directories.runDir}/exec/${execId}`;
  const relay = streams === undefined ? undefined : new ExecRelay(host, dir, streams);
  await using _guard =
    relay === undefined
      ? undefined
      : await openGuard(host, END_FOR_GOOD, [mark, `${pid}`, `${id}/${execId}.pid`]);
  try {
    await relay?.open();
    await client.unary(
      Tasks.method.exec,
      {
        containerId: id,
        execId,
        ...(relay?.paths ?? { stdin: "", stdout: "", stderr: "" }),
        terminal: process.terminal,
        spec: { typeUrl: PROCESS_TYPE_URL, value: specBytes(process) },
      },
      { doing: `run a command in container "${input.container}"`, signal },
    );
    const { container, command } = input;
    const running = { id, execId, mark, container, command };
    const result = await runToEnd(context, running, options, relay);
    if (relay === undefined) return result;
    // its pipes are closed with it
    await deleteProcess(client, id, execId);
    await relay.drained();
    return result;
  } finally {
    // a failed start keeps the id as well
    await deleteProcess(client, id, execId);
    await relay?.end();
  }
}

/** The process to run: nothing of it is inherited, and without these it would have more rights than the container. */
async function processOf(
  { client }: PodContext,
  { identity, container, command }: ExecInput,
  mark: string,
  { signal, streams }: ExecOptions,
) {
  const id = containerId(identity, container);
  const [record, task] = await Promise.all([
    getContainer(client, id, signal),
    getTask(client, id, signal),
  ]);
  if (record === undefined || task?.state !== "running") {
    throw new StowageError(
      `Cannot run a command in container "${container}" of ${describePod(identity)}: it does not run; start it`,
      { code: "not_found", context: { pod: identity.pod, container } },
    );
  }
  const { user, env, cwd, capabilities, rlimits, noNewPrivileges } = storedSpecOf(record).process;
  const terminal = streams?.terminal !== undefined;
  const { columns = 0, rows = 0 } = streams?.terminal?.size ?? {};
  const term = (env ?? []).some((each) => each.startsWith("TERM=")) ? [] : ["TERM=xterm"];
  const process = {
    terminal,
    ...(terminal ? { consoleSize: { height: rows, width: columns } } : {}),
    user,
    args: command,
    env: [...(env ?? []), ...(terminal ? term : []), mark],
    cwd,
    capabilities,
    rlimits,
    noNewPrivileges,
  };
  return { id, pid: task.pid, process };
}

interface Running extends ExecProcess {
  readonly container: string;
  readonly command: readonly string[];
  readonly mark: string;
}

async function runToEnd(
  context: PodContext,
  running: Running,
  { timeoutMs, signal, streams }: ExecOptions,
  relay: ExecRelay | undefined,
): Promise<ExecResult> {
  const { client } = context;
  const { id, execId, container } = running;
  await begin(client, running);
  const sized = new AbortController();
  try {
    await relay?.begun(client, running);
    if (streams?.terminal !== undefined) {
      keepSize(client, running, streams.terminal, sized.signal).catch(() => undefined);
    }
    const times = timeoutMs === undefined ? {} : { timeoutMs };
    const end = await waitForTask(client, id, { execId, ...times, signal });
    if (end !== undefined) return { exitCode: exitCodeOf(end, container) };
  } catch (error) {
    if (signal?.aborted === true) await killProcess(context, running);
    throw error;
  } finally {
    sized.abort();
  }
  await killProcess(context, running);
  throw new StowageError(
    `Cannot run a command in container "${container}" to its end: it took longer than ${timeoutMs} ms and was killed; allow it more time`,
    { code: "deadline_exceeded", context: { container } },
  );
}

async function begin(client: ContainerdClient, running: Running): Promise<void> {
  const { id, execId, container } = running;
  try {
    await client.unary(
      Tasks.method.start,
      { containerId: id, execId },
      { doing: `run a command in container "${container}"` },
    );
  } catch (error) {
    const code = StowageError.is(error, "failed_precondition") && notBegunCode(error.message);
    throw code ? notBegun(running, code, error) : error;
  }
}

function exitCodeOf({ exitCode }: { readonly exitCode: number | undefined }, container: string) {
  if (exitCode !== undefined) return exitCode;
  throw new StowageError(
    `Cannot tell how a command in container "${container}" ended: the container ended with it`,
    { code: "aborted", context: { container } },
  );
}

/** Kills a command and all that it began: its shim knows but its first process. */
async function killProcess(
  { client, host }: PodContext,
  { id, execId, mark }: Running,
): Promise<void> {
  await host.run(["sh", "-c", END_ALL_MARKED, "sh", mark]);
  await killTask(client, id, { execId, signal: SIGKILL, all: false });
  await waitForTask(client, id, { execId, timeoutMs: SHIM_ANSWER_MS });
}

async function deleteProcess(client: ContainerdClient, id: string, execId: string): Promise<void> {
  try {
    await client.unary(
      Tasks.method.deleteProcess,
      { containerId: id, execId },
      { doing: `end a command in container "${id}"` },
    );
  } catch (error) {
    // gone with its container, or never made
    if (!StowageError.is(error)) throw error;
  }
}
