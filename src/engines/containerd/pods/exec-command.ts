import { randomBytes } from "node:crypto";
import type { CallOptions, ExecResult } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Tasks } from "../../../gen/containerd/services/tasks/v1/tasks_pb.ts";
import type { PodIdentity } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { PROCESS_TYPE_URL, specBytes } from "../spec/stored-spec.ts";
import { getContainer, storedSpecOf } from "./container-records.ts";
import { containerId, describePod, type PodContext } from "./pod-context.ts";
import { getTask, killTask, SHIM_ANSWER_MS, SIGKILL, waitForTask } from "./tasks.ts";

/** A command in a container. */
export interface ExecInput {
  readonly identity: PodIdentity;
  readonly container: string;
  readonly command: readonly string[];
}

/** Runs a command in a running container with that container's rights, environment and directory. */
export async function execCommand(
  context: PodContext,
  input: ExecInput,
  options: CallOptions & { readonly timeoutMs: number },
): Promise<ExecResult> {
  const { client } = context;
  const { identity, container, command } = input;
  const id = containerId(identity, container);
  const [record, task] = await Promise.all([
    getContainer(client, id, options.signal),
    getTask(client, id, options.signal),
  ]);
  if (record === undefined || task?.state !== "running") {
    throw new StowageError(
      `Cannot run a command in container "${container}" of ${describePod(identity)}: it does not run; start it`,
      { code: "not_found", context: { pod: identity.pod, container } },
    );
  }
  const execId = `stw-exec-${randomBytes(8).toString("hex")}`;
  // nothing of it is inherited: without these a command would have more rights than the container
  const { user, env, cwd, capabilities, rlimits, noNewPrivileges } = storedSpecOf(record).process;
  const process = {
    terminal: false,
    user,
    args: command,
    env,
    cwd,
    capabilities,
    rlimits,
    noNewPrivileges,
  };
  try {
    await client.unary(
      Tasks.method.exec,
      {
        containerId: id,
        execId,
        stdin: "",
        stdout: "",
        stderr: "",
        terminal: false,
        spec: { typeUrl: PROCESS_TYPE_URL, value: specBytes(process) },
      },
      { doing: `run a command in container "${container}"`, signal: options.signal },
    );
    return await runToEnd(client, { id, execId, container }, options);
  } finally {
    // a failed start keeps the id as well
    await deleteProcess(client, id, execId);
  }
}

async function runToEnd(
  client: ContainerdClient,
  {
    id,
    execId,
    container,
  }: { readonly id: string; readonly execId: string; readonly container: string },
  { timeoutMs, signal }: CallOptions & { readonly timeoutMs: number },
): Promise<ExecResult> {
  await client.unary(
    Tasks.method.start,
    { containerId: id, execId },
    { doing: `run a command in container "${container}"` },
  );
  const kill = async (): Promise<void> => {
    await killTask(client, id, { execId, signal: SIGKILL, all: false });
    await waitForTask(client, id, { execId, timeoutMs: SHIM_ANSWER_MS });
  };
  try {
    const end = await waitForTask(client, id, { execId, timeoutMs, signal });
    if (end?.exitCode !== undefined) return { exitCode: end.exitCode };
    if (end !== undefined) {
      throw new StowageError(
        `Cannot tell how a command in container "${container}" ended: the container ended with it`,
        {
          code: "aborted",
          context: { container },
        },
      );
    }
  } catch (error) {
    if (signal?.aborted === true) await kill();
    throw error;
  }
  await kill();
  throw new StowageError(
    `Cannot run a command in container "${container}" to its end: it took longer than ${timeoutMs} ms and was killed; allow it more time`,
    { code: "deadline_exceeded", context: { container } },
  );
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
