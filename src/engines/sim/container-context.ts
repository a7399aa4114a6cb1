import { containerFiles } from "./container-files.ts";
import { isListening, listensInPod } from "./listening.ts";
import type { MachineState, SimContainer, SimPod } from "./machine-state.ts";
import type { ProcessContext } from "./process/process-context.ts";
import { appendLine } from "./sim-log.ts";

const OPEN_FILES_DEFAULT = 1024;
const USER_DEFAULT_ID = 1000;

/** What a process of a container runs as: the declaration over the image's defaults. */
export function processArgv({ spec, defaults }: SimContainer): readonly string[] {
  const entry = spec.command ?? defaults.entrypoint ?? [];
  const args = spec.args ?? (spec.command === undefined ? (defaults.cmd ?? []) : []);
  return [...entry, ...args];
}

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
    listen: (port) => {
      if (container.listens?.includes(port)) return true;
      if (!isFree(state, pod, port)) return false;
      (container.listens ??= []).push(port);
      return true;
    },
    reaches: (port) => !isFree(state, pod, port),
  };
}

/** Puts a line into a container's log. */
export function logLine(container: SimContainer, line: string): void {
  const log = appendLine(container.log, line, container.spec.logging);
  if (log !== undefined) container.log = log;
}

function isFree(state: MachineState, pod: SimPod, port: number): boolean {
  const taken = pod.spec.network?.mode === "host" ? isListening(state, port, "tcp") : listensInPod(pod, port);
  return !taken;
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
  const uid = numberOf(name);
  return { uid, gid: group === undefined ? (name === "root" ? 0 : Number(!/^\d+$/.test(name)) * uid) : numberOf(group), name: uid === 0 ? "root" : name };
}

function numberOf(name: string): number {
  if (name === "root") return 0;
  return /^\d+$/.test(name) ? Number(name) : USER_DEFAULT_ID;
}
