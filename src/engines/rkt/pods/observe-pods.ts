import { CGROUP_ROOT, effectiveLimits, type Limits, limitFiles } from "../../../engine/index.ts";
import {
  type Json,
  type ObservedContainer,
  type ObservedPod,
  podState,
} from "../../../model/index.ts";
import type { Flavor } from "../flavor.ts";
import { appName } from "../layout.ts";
import { type CgroupHome, cgroupPath, EVERY_APP } from "../run/cgroups.ts";
import { type ContainerStanding, standingOf } from "./container-state.ts";
import { type ContainerFile, type Manifest, type PodFile, parseManifest } from "./pod-file.ts";
import type { SeenPod, SeenPods } from "./read-pods.ts";

const EVERY_LIMIT: Limits = {
  cpuMillis: 0,
  cpuShares: 0,
  cpuset: "",
  memoryBytes: 0,
  memoryReservationBytes: 0,
  memorySwapBytes: 0,
  pidsMax: 0,
};

/** Patterns of the files that tell the limits of all containers. */
export function everyLimitFile(home: CgroupHome): readonly string[] {
  const prefix = `${CGROUP_ROOT}/`;
  return limitFiles(cgroupPath(home, EVERY_APP), EVERY_LIMIT).filter((file) => {
    const controller = file.slice(prefix.length).split("/")[0] ?? "";
    const ofV1 = ["cpu", "cpuset", "memory", "pids"].includes(controller);
    return ofV1 === (home.version === 1);
  });
}

/** Generations of pods as they are now. */
export function observePods(seen: SeenPods): readonly ObservedPod[] {
  return seen.pods.map((pod) => observePod(seen, pod));
}

function observePod(seen: SeenPods, pod: SeenPod): ObservedPod {
  const { identity, file } = pod;
  const names = Object.keys(file?.containers ?? Object.fromEntries(pod.manifests)).sort();
  const containers = Object.fromEntries(
    names.map((name) => [name, observeContainer(seen, pod, name)]),
  );
  const states = Object.values(containers).map(({ state }) => state);
  return {
    ...identity,
    ...(file === undefined ? {} : { recordDigest: file.recordDigest }),
    state: file === undefined ? "incomplete" : podState(states),
    containers,
    reported: file === undefined ? {} : reportPod(file),
  };
}

const ALTERED = "its pod manifest in rkt was changed by somebody else";
const UNSUPERVISED = "its supervisor is gone: its exit code will not be known";
const REMOVED = "somebody removed its pod from rkt";

function observeContainer(seen: SeenPods, pod: SeenPod, name: string): ObservedContainer {
  const container = pod.file?.containers[name];
  if (container === undefined)
    return { id: "", state: "missing", image: { reference: "" }, reported: {} };
  const { rktPod, message: _, ...standing } = standingOf(seen, pod, name);
  const given = pod.manifests.get(name);
  const held = rktPod?.manifestText;
  const changed = held !== undefined && given !== undefined && held.trim() !== given.trim();
  const altered = changed ? ALTERED : lossOf(seen, pod, name, standing, rktPod !== undefined);
  const manifest = rktPod?.manifest ?? parseManifest(given);
  const limits = effectiveLimits(
    cgroupPath(seen.home, appName(pod.identity, name)),
    container.limits as Limits,
    seen.snapshot.files,
  );
  return {
    id: container.uuid,
    ...standing,
    ...(container.restarts === undefined ? {} : { restarts: container.restarts }),
    image: { reference: container.image.reference, digest: container.image.digest },
    reported: reportContainer(container, undoubled(seen.flavor, manifest), limits),
    ...(altered === undefined ? {} : { altered }),
  };
}

/** What of a container is gone, though nothing says so but its absence. */
function lossOf(
  seen: SeenPods,
  pod: SeenPod,
  name: string,
  { state, pid, exitCode }: ContainerStanding,
  isThere: boolean,
): string | undefined {
  // rkt's own collector takes those away that ended: what has done its work is not missed
  if (state === "exited") return !isThere && exitCode !== 0 ? REMOVED : undefined;
  const supervisor = pod.supervisors.get(name);
  // its files may be those of an earlier run
  if (state !== "running" || pid === undefined || pid !== pod.pids.get(name)) return undefined;
  if (supervisor === undefined) return undefined;
  const alive = seen.supervised.get(appName(pod.identity, name)) ?? [];
  return alive.includes(supervisor) ? undefined : UNSUPERVISED;
}

/** A manifest with its command line as it was declared: the host flavour's has each % twice. */
function undoubled(flavor: Flavor, manifest: Manifest | undefined): Manifest | undefined {
  if (flavor === "fly" || manifest === undefined) return manifest;
  const apps = (manifest.apps ?? []).map((runtime) => {
    const exec = runtime.app?.exec?.map((word) => word.replaceAll("%%", "%"));
    return exec === undefined ? runtime : { ...runtime, app: { ...runtime.app, exec } };
  });
  return { ...manifest, apps };
}

/** What rkt's manifest and the kernel say of declared attributes, by path; null where nothing is set. */
function reportContainer(
  container: ContainerFile,
  manifest: Manifest | undefined,
  limits: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const [runtime] = manifest?.apps ?? [];
  const app = runtime?.app ?? {};
  const exec = app.exec ?? [];
  const told = new Map<string, Json>([
    ["command", exec.slice(0, container.commandWords)],
    ["args", exec.slice(container.commandWords)],
    ["workingDir", app.workingDirectory ?? null],
    ["user", container.userHasGroup ? `${app.user}:${app.group}` : (app.user ?? null)],
    ...Object.entries(limits).map(([name, value]): [string, Json] => [`resources.${name}`, value]),
    ...(app.environment ?? []).map(({ name, value }): [string, Json] => [
      /^[A-Za-z0-9_-]+$/.test(name) ? `env.${name}` : `env[${JSON.stringify(name)}]`,
      value,
    ]),
    ...(runtime?.mounts ?? []).flatMap(({ volume, path }): [string, Json][] => {
      const readOnly = manifest?.volumes?.find(({ name }) => name === volume)?.readOnly ?? false;
      return [
        [`mounts[${path}].volume`, container.volumes[path] ?? null],
        [`mounts[${path}].path`, path],
        [`mounts[${path}].readOnly`, readOnly],
      ];
    }),
  ]);
  return Object.fromEntries(container.declared.map((path) => [path, told.get(path) ?? null]));
}

function reportPod({ podDeclared, hostname, network }: PodFile): Readonly<Record<string, Json>> {
  const told: Readonly<Record<string, Json>> = { hostname, "network.mode": network };
  return Object.fromEntries(podDeclared.map((path) => [path, told[path] ?? null]));
}
