import { inSeconds } from "./go-format.ts";
import type { PodManifest, RuntimeApp } from "./manifest.ts";
import { complain, Exit } from "./output.ts";
import {
  AFTER_RUN,
  appExitCode,
  createdAt,
  markedAt,
  type Pod,
  readPodFile,
  startedAt,
} from "./pods.ts";

/** A pod's manifest; undefined while it is prepared. */
export function manifestOf(pod: Pod): PodManifest | undefined {
  if (["embryo", "preparing", "aborted prepare"].includes(pod.state)) return undefined;
  const text = readPodFile(pod, "pod");
  if (text === undefined) return undefined;
  const manifest = JSON.parse(text) as PodManifest;
  return { ...manifest, apps: manifest.apps ?? [] };
}

/** A pod as `list` and `status` print it in JSON; undefined when it has no time of creation. */
export function podView(pod: Pod): object | undefined {
  const [created, started, manifest] = [createdAt(pod), startedAt(pod), manifestOf(pod)];
  if (created === undefined) return undefined;
  return compact({
    name: pod.uuid,
    state: pod.state,
    networks: networksOf(pod),
    app_names: nonEmpty(manifest?.apps)?.map(({ name }) => name),
    apps: manifest && nonEmpty(manifest.apps)?.map((app) => appView(pod, app, manifest)),
    created_at: inSeconds(created),
    started_at: started === undefined ? undefined : inSeconds(started),
    user_annotations: filled(manifest?.userAnnotations),
    user_labels: filled(manifest?.userLabels),
  });
}

interface Network {
  readonly netName: string;
  readonly ip: string;
}

/** The networks of a pod that was given some; none once it is garbage. */
export function networksOf(pod: Pod): readonly Network[] | undefined {
  if (pod.state !== "running" && pod.state !== "exited") return undefined;
  const text = readPodFile(pod, "net-info.json");
  return text === undefined ? undefined : (JSON.parse(text) as readonly Network[]);
}

/** They as `list` and `status` print them. */
export function networkWords(pod: Pod): string {
  return (networksOf(pod) ?? []).map(({ netName, ip }) => `${netName}:ip4=${ip}`).join(", ");
}

function appView(pod: Pod, runtime: RuntimeApp, manifest: PodManifest): object {
  const { name, image, app, mounts } = runtime;
  if (app === undefined) return panic();
  const exitCode = appExitCode(pod, name);
  return compact({
    name,
    state: appState(pod, exitCode),
    created_at: createdAt(pod),
    started_at: startedAt(pod),
    finished_at: markedAt(pod),
    exit_code: exitCode,
    image_id: image.id,
    mounts: nonEmpty(mounts)?.map(({ volume, path }) => {
      const source = manifest.volumes?.find((one) => one.name === volume);
      return {
        name: volume,
        container_path: path,
        host_path: source?.source ?? "",
        read_only: source?.readOnly ?? false,
      };
    }),
    user_annotations: filled(app.userAnnotations),
    user_labels: filled(app.userLabels),
  });
}

function appState(pod: Pod, exitCode: number | undefined): string {
  if (AFTER_RUN.includes(pod.state) || exitCode !== undefined) return "exited";
  return pod.state === "running" ? "running" : "created";
}

/** rkt itself dies of a pod with an app that lacks `app`. */
function panic(): never {
  complain("panic: runtime error: invalid memory address or nil pointer dereference\n");
  complain("[signal SIGSEGV: segmentation violation code=0x1 addr=0xd8 pc=0xa089a3]\n\n");
  complain("goroutine 1 [running, locked to thread]:\n");
  throw new Exit(2);
}

function compact(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A map with its keys sorted, as Go writes it; undefined when it is empty. */
function filled(
  map: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(map ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list?.length === 0 ? undefined : list;
}
