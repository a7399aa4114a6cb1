import type { PodInstance, StartOptions } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { PodIdentity } from "../../model/index.ts";
import type { MachineState, SimContainer, SimPod } from "./machine-state.ts";
import { attachToNetwork } from "./networks.ts";
import { checkParts, checkSources, makeContainers } from "./prepare-pod.ts";
import { isMissingCommand, processArgv } from "./process-argv.ts";
import { requirePod } from "./require-pod.ts";
import { withRestartFields } from "./restart-fields.ts";
import { launch } from "./run-containers.ts";
import type { Part } from "./sim-calls.ts";

/** Runs what does not run of a generation, one container after the other. */
export async function startPod(
  part: Part,
  pod: PodInstance,
  runOnce: boolean,
  { containers: wanted, again = false, aside = false }: StartOptions = {},
): Promise<void> {
  const isWanted = (name: string): boolean => wanted?.includes(name) ?? true;
  const names = await part((state) => {
    const found = requirePod(state, pod.identity, "start");
    if (!found.complete) throw incomplete(pod.identity);
    const idle = Object.keys(found.containers).filter(
      (name) => isWanted(name) && !runs(found.containers[name]),
    );
    if (idle.length > 0) checkSources(state, found, "start");
    for (const name of idle) checkCommand(pod.identity, name, found.containers[name]);
    if (runOnce && idle.some((name) => found.containers[name]?.state === "exited")) {
      checkParts(state, pod);
    }
    delete found.stopped;
    attachToNetwork(state, found, aside);
    return idle;
  });
  for (const name of names) {
    await part((state, nowMs) => {
      const found = requirePod(state, pod.identity, "start");
      const before = found.containers[name]?.restarts;
      if (runOnce && found.containers[name]?.state === "exited") renew(state, found, name, pod);
      const container = found.containers[name];
      if (container === undefined || runs(container)) return;
      count(container, again ? (before ?? 0) + 1 : undefined);
      container.spec = withRestartFields(container.spec, found.spec.containers[name]);
      launch(state, found, container, nowMs);
    });
  }
  await part((state) => {
    const { containers } = requirePod(state, pod.identity, "start");
    for (const [name, container] of Object.entries(containers)) {
      if (isWanted(name) && container.state === "paused") container.state = "running";
    }
  });
}

function count(container: SimContainer, restarts: number | undefined): void {
  if (restarts === undefined) delete container.restarts;
  else container.restarts = restarts;
}

// Where a pod runs once, what ended is created again; what it wrote is gone, what it printed is kept.
function renew(state: MachineState, found: SimPod, name: string, pod: PodInstance): void {
  const made = makeContainers(state, pod)[name];
  const log = found.containers[name]?.log;
  if (made === undefined) return;
  found.containers[name] = log === undefined ? made : { ...made, log };
  if (Object.values(found.containers).every((each) => !runs(each))) delete found.tmpfs;
}

function runs(container: SimContainer | undefined): boolean {
  return container?.state === "running" || container?.state === "paused";
}

function checkCommand(
  identity: PodIdentity,
  name: string,
  container: SimContainer | undefined,
): void {
  if (container === undefined) return;
  const argv = processArgv(container);
  if (!isMissingCommand(argv)) return;
  const state =
    argv[0] === undefined
      ? "neither it nor its image names a command"
      : `there is no "${argv[0]}" in its image`;
  throw new StowageError(
    `Cannot start container "${name}" of pod "${identity.pod}": ${state}; correct its command`,
    { code: "failed_precondition", context: { container: name } },
  );
}

function incomplete(identity: PodIdentity): StowageError {
  return new StowageError(
    `Cannot start pod "${identity.pod}": parts of generation ${identity.generation} are missing; remove it and prepare another`,
    { code: "failed_precondition" },
  );
}
