import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../../errors/index.ts";
import type { Host } from "../../../host/index.ts";
import { settleAll } from "../../../internal/index.ts";
import { cgroupsPath } from "../spec/build-spec.ts";
import { type DaemonDirectories, isSameSocket } from "./daemon-directories.ts";
import { cgroupFolders, removeEmptyCgroups } from "./empty-cgroups.ts";
import type { PodContext } from "./pod-context.ts";
import { shimSockets } from "./shim-socket.ts";
import { endTask, getTask } from "./tasks.ts";

/** Where runc keeps the state of containers, for every containerd of a host. */
const RUNC_ROOT = "/run/containerd/runc";

/** What the daemon calls the part of it that runs tasks. */
const TASKS = "io.containerd.runtime.v2.task";

/** Passes over the processes of a host, since a daemon may still be at work on a create that nobody waits for. */
const PASSES = 20;
const PASS_MS = 150;
/** So many passes in a row must find nothing. */
const QUIET_PASSES = 4;

/** Command lines of all processes. */
const COMMAND_LINES = "/proc/*/cmdline";

/**
 * Removes what a create that was interrupted leaves, and no call of the daemon can: a shim without a
 * task, the bundle that keeps its id from ever being used again, the runtime's waiting process, and its empty
 * cgroup. Also the socket of a shim that was killed.
 *
 * @param suspects those whose create is known to have been interrupted: a daemon may begin a shim for
 *   them though nothing of it is to be seen
 * @throws StowageError `failed_precondition` when something stays
 */
export async function removeShimRemnants(
  context: PodContext,
  ids: readonly string[],
  suspects: ReadonlySet<string>,
): Promise<void> {
  const { host, facts, client, socketPath } = context;
  const directories = await facts.daemonDirectories();
  const placesOf = (id: string): readonly string[] => [
    ...bundlesOf(directories, client.namespace, id),
    runcState(client.namespace, id),
  ];
  const sockets = ids.flatMap((id) => shimSockets(socketPath, client.namespace, id));
  const cgroups = ids.map((id) => cgroupsPath(client.namespace, id));
  const { existing } = await host.snapshot({
    exist: [...ids.flatMap(placesOf), ...sockets, ...cgroups.flatMap(cgroupFolders)],
  });
  const doubtful = ids.filter(
    (id) => suspects.has(id) || placesOf(id).some((path) => existing.has(path)),
  );
  await settleAll(doubtful.map((id) => removeRemnant(context, directories, id)));
  const isLeft = cgroups.some((path) => cgroupFolders(path).some((each) => existing.has(each)));
  // a runtime that is killed early keeps no note of the one that it made
  if (isLeft || doubtful.length > 0) await removeEmptyCgroups(host, cgroups);
  await settleAll(
    sockets.filter((path) => existing.has(path)).map((path) => host.removeFile(path)),
  );
}

/** Where the bundles of a namespace lie in a daemon's state directory. */
export function bundleDirectory(state: string | undefined, namespace: string): string | undefined {
  return state === undefined ? undefined : `${state}/${TASKS}/${namespace}`;
}

/** Directories of a container's bundle: the one in use, and its work directory. */
function bundlesOf(
  directories: DaemonDirectories | undefined,
  namespace: string,
  id: string,
): readonly string[] {
  if (directories === undefined) return [];
  const { state, root } = directories;
  return [state, root].map((directory) => `${directory}/${TASKS}/${namespace}/${id}`);
}

function runcState(namespace: string, id: string): string {
  return `${RUNC_ROOT}/${namespace}/${id}`;
}

async function removeRemnant(
  context: PodContext,
  directories: DaemonDirectories | undefined,
  id: string,
): Promise<void> {
  const { client, host, socketPath } = context;
  const { namespace } = client;
  let quiet = 0;
  for (let pass = 0; pass < PASSES && quiet < QUIET_PASSES; pass += 1) {
    // the daemon may have brought the create to its end after all
    const task = await getTask(client, id).catch(() => undefined);
    if (task !== undefined && task.state !== "unknown") await endTask(client, task);
    const ended = await endShims(host, { namespace, id, socketPath });
    const cleared = await clear(host, directories, namespace, id).then(
      () => true,
      (error: unknown) => {
        // the daemon may be at work in the same bundle: what counts is what is left at the end
        if (StowageError.is(error)) return false;
        throw error;
      },
    );
    quiet = ended === 0 && task === undefined && cleared ? quiet + 1 : 0;
    await delay(PASS_MS);
  }
  const { existing } = await host.snapshot({ exist: bundlesOf(directories, namespace, id) });
  const [left] = existing;
  if (left === undefined) return;
  throw new StowageError(
    `Cannot remove container "${id}": "${left}" is still in use; remove it again`,
    {
      code: "failed_precondition",
      retryable: true,
      context: { container: id, path: left },
    },
  );
}

async function clear(
  host: Host,
  directories: DaemonDirectories | undefined,
  namespace: string,
  id: string,
): Promise<void> {
  const bundles = bundlesOf(directories, namespace, id);
  const state = runcState(namespace, id);
  const file = `${state}/state.json`;
  const { existing, files } = await host.snapshot({ exist: [...bundles, state], files: [file] });
  if (existing.has(state)) {
    const text = files.get(file);
    // runc's state is shared by all daemons of the host: only what is of our bundle is ours
    const ours =
      typeof text !== "string" ||
      bundles.some((path) => text.includes(JSON.stringify(`bundle=${path}`)));
    if (ours)
      await run(host, ["runc", "--root", `${RUNC_ROOT}/${namespace}`, "delete", "--force", id]);
    if (ours && typeof text !== "string") await host.removeDirectory(state);
  }
  for (const bundle of bundles.filter((path) => existing.has(path))) {
    await run(host, ["umount", "-l", `${bundle}/rootfs`]);
    await host.removeDirectory(bundle);
  }
}

/** Runs a program for what it does; that there is nothing for it to do is no failure. */
async function run(host: Host, command: readonly string[]): Promise<void> {
  await host.run(command).catch((error: unknown) => {
    if (!StowageError.is(error, "not_found")) throw error;
  });
}

/** What a shim is known by. */
interface ShimIdentity {
  readonly namespace: string;
  readonly id: string;
  readonly socketPath: string;
}

/** Ends the shims of a container. @returns how many there were */
async function endShims(host: Host, identity: ShimIdentity): Promise<number> {
  const { files } = await host.snapshot({ files: [COMMAND_LINES] });
  const shims = [...files].filter(
    ([, text]) => typeof text === "string" && isShimOf(text.split("\0"), identity),
  );
  for (const [file, text] of shims) {
    // its number may have gone to another process since
    const script = '[ "$(tr "\\0" "\\n" <"$1")" = "$2" ] && kill -9 "$3"';
    const argv = String(text).replaceAll("\0", "\n").trimEnd();
    await host.run(["sh", "-c", script, "sh", file, argv, file.split("/")[2] ?? ""]);
  }
  return shims.length;
}

/** Whether a command line is that of a container's shim, of this daemon. */
export function isShimOf(
  argv: readonly string[],
  { namespace, id, socketPath }: ShimIdentity,
): boolean {
  const after = (name: string): string | undefined => {
    const at = argv.indexOf(name);
    return at < 0 ? undefined : argv[at + 1];
  };
  return (
    (argv[0]?.split("/").at(-1)?.startsWith("containerd-shim") ?? false) &&
    after("-namespace") === namespace &&
    after("-id") === id &&
    isSameSocket(after("-address") ?? "", socketPath)
  );
}
