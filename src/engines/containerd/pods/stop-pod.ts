import { STOP_DEFAULTS, type StopOptions, signalNumber } from "../../../engine/index.ts";
import { settleAll } from "../../../internal/index.ts";
import type { PodIdentity } from "../../../model/index.ts";
import { notesIn, parseStoredSpec } from "../spec/stored-spec.ts";
import type { ContainerRecord } from "./container-records.ts";
import { findGeneration } from "./find-generation.ts";
import type { PodContext } from "./pod-context.ts";
import { endContainers } from "./remove-pod.ts";
import {
  deleteTask,
  getTask,
  killTask,
  resumeTask,
  SHIM_ANSWER_MS,
  SIGKILL,
  waitForTask,
} from "./tasks.ts";

/**
 * Ends the processes of a generation. The ended tasks stay, and with them how each ended, until the
 * generation is started or removed.
 */
export async function stopPod(
  context: PodContext,
  identity: PodIdentity,
  options: StopOptions,
): Promise<void> {
  const found = await findGeneration(context, identity, options.signal);
  await settleAll(
    [...found].map(([name, record]) => stopContainer(context, name, record, options)),
  );
}

async function stopContainer(
  context: PodContext,
  name: string,
  record: ContainerRecord,
  options: StopOptions,
): Promise<void> {
  const { client } = context;
  const { id } = record;
  const task = await getTask(client, id, options.signal);
  if (task === undefined || task.state === "exited") return;
  if (task.state === "prepared") return await deleteTask(client, id);
  const asked = options.containers?.[name];
  const { gracePeriodMs = STOP_DEFAULTS.gracePeriodMs } = asked ?? {};
  const signal = signalNumber(asked?.signal ?? stopSignalOf(record) ?? STOP_DEFAULTS.signal);
  // a paused process gets no signal but by going on
  if (task.state === "paused") await resumeTask(client, id);
  // its shim hangs: nothing can be asked of it
  if (task.state === "unknown") return await endContainers(context, [id]);
  if (gracePeriodMs > 0) {
    const end = waitForTask(client, id, { timeoutMs: gracePeriodMs, signal: options.signal });
    // an abort while the signal is being sent is reported by the wait
    end.catch(() => undefined);
    await killTask(client, id, { signal, all: false });
    if ((await end) !== undefined) return;
  }
  await killHard(context, id);
}

async function killHard(context: PodContext, id: string): Promise<void> {
  const { client } = context;
  try {
    await killTask(client, id, { signal: SIGKILL, all: true });
    if ((await waitForTask(client, id, { timeoutMs: SHIM_ANSWER_MS })) !== undefined) return;
  } catch {
    // a shim that hangs is ended below
  }
  await endContainers(context, [id]);
}

/** What the image wants to be stopped with. */
function stopSignalOf({ specBytes }: ContainerRecord): string | undefined {
  const spec = parseStoredSpec(specBytes);
  return spec === undefined ? undefined : notesIn(spec)?.stopSignal;
}
