import type { Mount } from "../../../gen/containerd/types/mount_pb.ts";
import { logWriterUri } from "../logs/log-writer.ts";
import { notesIn, type StoredSpec } from "../spec/stored-spec.ts";
import { logWriterPath } from "./host-files.ts";
import { logDirectory, type PodContext } from "./pod-context.ts";
import { createTask } from "./tasks.ts";

/** Creates the task of a container as its stored spec says, its log directory included. @returns its pid */
export async function makeTask(
  context: PodContext,
  id: string,
  spec: StoredSpec,
  rootfs: readonly Mount[],
): Promise<number> {
  const stdout = await outputOf(context, id, spec);
  const pid = await createTask(context.client, id, rootfs, stdout);
  context.fresh.made(id, pid);
  return pid;
}

/** Where a container's output goes; empty: nowhere. */
async function outputOf(
  { directories, host }: PodContext,
  id: string,
  spec: StoredSpec,
): Promise<string> {
  const logging = notesIn(spec)?.logging;
  if (logging === undefined || logging.mode === "none") return "";
  const directory = logDirectory(directories, id);
  // here and not by the logger: one that is still about to start when its pod is removed makes nothing
  await host.makeDirectory(directory, { mode: 0o700 });
  const { maxBytes, maxFiles } = logging;
  return logWriterUri({ directory, maxBytes, maxFiles }, logWriterPath(directories));
}
