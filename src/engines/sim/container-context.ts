import { portKey } from "../../model/index.ts";
import { wallTime } from "./clock.ts";
import { containerFiles } from "./container-files.ts";
import { listeningOn, listensInPod } from "./listening.ts";
import type { MachineState, SimContainer, SimPod } from "./machine-state.ts";
import { reachesPeer } from "./networks.ts";
import type { ProcessContext } from "./process/process-context.ts";
import { appendLine } from "./sim-log.ts";

const LOOPBACK = ["localhost", "127.0.0.1"];
const OPEN_FILES_DEFAULT = 1024;
/** Of every name: a simulated image has no /etc/passwd. */
const NAMED_ID = 1000;

/** Directory that a container's processes start in. */
export function startDirectory({ spec, defaults }: SimContainer): string {
  return spec.workingDir ?? (defaults.workingDir || "/");
}

/** What the processes of a container see and do; `print` is where their output goes. */
export function containerContext(
  state: MachineState,
  pod: SimPod,
  container: SimContainer,
  print: (line: string) => void,
): ProcessContext {
  return {
    environment: environmentOf(container),
    user: userOf(container.spec.user ?? container.defaults.user),
    hostname: pod.spec.hostname ?? pod.identity.pod,
    files: containerFiles(state, pod, container),
    openFiles: container.spec.ulimits?.nofile?.soft ?? OPEN_FILES_DEFAULT,
    print,
    listen: (port) => listenOn(state, pod, container, portKey({ host: port })),
    reaches: (port, host) =>
      host === undefined || LOOPBACK.includes(host)
        ? !isFree(state, pod, portKey({ host: port }))
        : reachesPeer(state, pod, host, port),
  };
}

/** Lets a container listen on a port of its pod's network; @returns false when it is taken. */
export function listenOn(
  state: MachineState,
  pod: SimPod,
  container: SimContainer,
  key: string,
): boolean {
  if (container.listens?.includes(key)) return true;
  if (!isFree(state, pod, key)) return false;
  container.listens = [...(container.listens ?? []), key];
  return true;
}

/** Puts a line into a container's log, at a moment of the machine's clock. */
export function logLine(
  state: MachineState,
  container: SimContainer,
  line: string,
  atMs: number,
): void {
  const writtenAt = Date.parse(wallTime(state, atMs));
  const log = appendLine(container.log, line, writtenAt, container.spec.logging);
  if (log !== undefined) container.log = log;
}

function isFree(state: MachineState, pod: SimPod, key: string): boolean {
  const inHost = pod.spec.network?.mode === "host";
  return inHost ? !listeningOn(state).has(key) : !listensInPod(pod, key);
}

function environmentOf({ spec, defaults, environment }: SimContainer): Record<string, string> {
  const own = environment ?? spec.env ?? {};
  const found: Record<string, string> = {};
  for (const text of defaults.env ?? []) {
    const equals = text.indexOf("=");
    found[text.slice(0, equals)] = text.slice(equals + 1);
  }
  for (const [name, value] of Object.entries(own)) {
    if (typeof value === "string") found[name] = value;
  }
  return found;
}

function userOf(user: string | undefined): ProcessContext["user"] {
  const [name = "0", group] = (user || "0").split(":");
  const uid = idOf(name);
  // A number alone says nothing of a group; a name has one in the image.
  const gid = idOf(group ?? (/^\d+$/.test(name) ? "0" : name));
  return { uid, gid, name: uid === 0 ? "root" : name };
}

function idOf(name: string): number {
  if (name === "root") return 0;
  return /^\d+$/.test(name) ? Number(name) : NAMED_ID;
}
