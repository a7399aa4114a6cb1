import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { StowageError } from "../../../errors/index.ts";
import { Snapshots } from "../../../gen/containerd/services/snapshots/v1/snapshots_pb.ts";
import { Tasks } from "../../../gen/containerd/services/tasks/v1/tasks_pb.ts";
import type { Mount } from "../../../gen/containerd/types/mount_pb.ts";
import { type Process, Status } from "../../../gen/containerd/v1/types/task_pb.ts";
import { anySignal } from "../../../internal/index.ts";
import type { ContainerState } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";

/** A container's first process, as its shim reports it. */
export interface Task {
  readonly id: string;
  readonly state: Exclude<ContainerState, "missing">;
  readonly pid: number;
  readonly exitCode?: number;
  /** UTC, ISO 8601. */
  readonly exitedAt?: string;
}

export const SIGKILL = 9;

/** How long a shim that does not answer is waited for before it is ended. */
export const SHIM_ANSWER_MS = 15_000;

/** The same for one that did not answer before. */
const SECOND_ANSWER_MS = 3_000;

/** Every task of the namespace. */
export async function listTasks(
  client: ContainerdClient,
  signal?: AbortSignal,
): Promise<readonly Task[]> {
  const { tasks } = await client.unary(Tasks.method.list, {}, { doing: "list tasks", signal });
  return tasks.map(toTask);
}

/** One task; undefined when there is none. */
export async function getTask(
  client: ContainerdClient,
  id: string,
  signal?: AbortSignal,
): Promise<Task | undefined> {
  try {
    const { process } = await client.unary(
      Tasks.method.get,
      { containerId: id },
      { doing: `look up task "${id}"`, signal },
    );
    return process === undefined ? undefined : toTask(process);
  } catch (error) {
    if (StowageError.is(error, "not_found")) return undefined;
    throw error;
  }
}

/**
 * Makes a task as far as its process can wait to be started.
 *
 * It has no signal: a create that is interrupted leaves a shim behind that nothing lists.
 *
 * @param stdout where both stdout and stderr go; empty: nowhere
 * @returns pid of the waiting process
 * @throws StowageError `failed_precondition` with the runtime's own words when it cannot be made
 */
export async function createTask(
  client: ContainerdClient,
  id: string,
  rootfs: readonly Mount[],
  stdout: string,
): Promise<number> {
  const doing = `create task "${id}"`;
  try {
    const { pid } = await client.unary(
      Tasks.method.create,
      { containerId: id, rootfs: [...rootfs], stdin: "", stdout, stderr: "", terminal: false },
      { doing },
    );
    return pid;
  } catch (error) {
    throw explainCreate(error);
  }
}

/** The file system of a container's snapshot, as its task needs it. */
export async function snapshotMounts(
  client: ContainerdClient,
  snapshotter: string,
  key: string,
  signal?: AbortSignal,
): Promise<readonly Mount[]> {
  const { mounts } = await client.unary(
    Snapshots.method.mounts,
    { snapshotter, key },
    { doing: `mount snapshot "${key}"`, signal },
  );
  return mounts;
}

/** Runs the process of a created task. */
export async function startTask(client: ContainerdClient, id: string): Promise<void> {
  await client.unary(Tasks.method.start, { containerId: id }, { doing: `start task "${id}"` });
}

/** Lets a paused task go on. */
export async function resumeTask(client: ContainerdClient, id: string): Promise<void> {
  await client.unary(Tasks.method.resume, { containerId: id }, { doing: `resume task "${id}"` });
}

/** Sends a signal; a process that has ended or is not there: nothing happens. */
export async function killTask(
  client: ContainerdClient,
  id: string,
  kill: {
    readonly signal: number;
    readonly all: boolean;
    readonly execId?: string;
    readonly deadlineMs?: number;
  },
): Promise<void> {
  const { execId = "", deadlineMs = SHIM_ANSWER_MS, ...rest } = kill;
  try {
    await client.unary(
      Tasks.method.kill,
      { containerId: id, execId, ...rest },
      { doing: `kill task "${id}"`, deadlineMs },
    );
  } catch (error) {
    if (!StowageError.is(error, "not_found") && !isEnded(error)) throw error;
  }
}

/**
 * Waits for the end of a task's process.
 *
 * @returns undefined when the time was over first; when there is no task, at once
 */
export async function waitForTask(
  client: ContainerdClient,
  id: string,
  options: {
    readonly timeoutMs?: number;
    readonly execId?: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<{ readonly exitCode: number | undefined } | undefined> {
  const { timeoutMs, execId = "", signal } = options;
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const either = [signal, timeout].filter((each) => each !== undefined);
  try {
    const { exitStatus } = await client.unary(
      Tasks.method.wait,
      { containerId: id, execId },
      {
        doing: `wait for task "${id}"`,
        ...(either.length === 0 ? {} : { signal: anySignal(either) }),
      },
    );
    return { exitCode: exitStatus };
  } catch (error) {
    signal?.throwIfAborted();
    if (timeout?.aborted === true) return undefined;
    // gone with its shim: it has ended, and nobody knows how
    if (StowageError.is(error, "not_found") || StowageError.is(error, "aborted"))
      return { exitCode: undefined };
    throw error;
  }
}

/** Deletes a task whose process has ended or was never started; absent: nothing happens. */
export async function deleteTask(client: ContainerdClient, id: string): Promise<void> {
  try {
    await client.unary(Tasks.method.delete, { containerId: id }, { doing: `delete task "${id}"` });
  } catch (error) {
    if (!StowageError.is(error, "not_found") && !StowageError.is(error, "aborted")) throw error;
  }
}

/** Ends a task, whatever it does, and deletes it. @returns false when it does not answer */
export async function endTask(client: ContainerdClient, task: Task): Promise<boolean> {
  const { id, state } = task;
  try {
    if (state === "paused") await resumeTask(client, id);
    if (state !== "exited" && state !== "prepared") {
      const timeoutMs = state === "unknown" ? SECOND_ANSWER_MS : SHIM_ANSWER_MS;
      await killTask(client, id, { signal: SIGKILL, all: true, deadlineMs: timeoutMs });
      if ((await waitForTask(client, id, { timeoutMs })) === undefined) return false;
    }
    await deleteTask(client, id);
    return true;
  } catch (error) {
    if (StowageError.is(error, "deadline_exceeded")) return false;
    throw error;
  }
}

function toTask({ id, pid, status, exitStatus, exitedAt }: Process): Task {
  const state = STATES[status] ?? "unknown";
  if (state !== "exited") return { id, state, pid };
  const at = exitedAt === undefined ? undefined : toIsoTime(exitedAt);
  return { id, state, pid, exitCode: exitStatus, ...(at === undefined ? {} : { exitedAt: at }) };
}

/** A shim that hangs answers 0, which says nothing of the process. */
const STATES: Readonly<Partial<Record<Status, Task["state"]>>> = {
  [Status.CREATED]: "prepared",
  [Status.RUNNING]: "running",
  [Status.STOPPED]: "exited",
  [Status.PAUSED]: "paused",
  [Status.PAUSING]: "paused",
};

function toIsoTime({ seconds, nanos }: Timestamp): string | undefined {
  // Go's zero time means never
  return seconds <= 0n ? undefined : new Date(Number(seconds) * 1000 + nanos / 1e6).toISOString();
}

function isEnded(error: unknown): boolean {
  return StowageError.is(error) && /process already finished|no such process/.test(error.message);
}

function explainCreate(error: unknown): unknown {
  if (!StowageError.is(error)) return error;
  const { message, context } = error;
  if (
    /no space left on device|cannot allocate memory|resource temporarily unavailable|too many open files/i.test(
      message,
    )
  ) {
    return new StowageError(message, { code: "resource_exhausted", context, cause: error });
  }
  if (/error setting rlimit/.test(message)) {
    const remedy =
      "the engine may not raise that limit on this host; lower the hard value in ulimits";
    return new StowageError(`${message}; ${remedy}`, {
      code: "failed_precondition",
      context,
      cause: error,
    });
  }
  return error.code === "internal"
    ? new StowageError(message, { code: "failed_precondition", context, cause: error })
    : error;
}
