import type { FileContent, HostSnapshot } from "../../host/index.ts";
import {
  contentWords,
  type DeclaredFile,
  fileContent,
  filesDirName,
  filesOf,
  fleetNames,
  type HostLayout,
  hasFiles,
  hostDirectories,
  hostLayout,
  type ObservedPod,
  objectName,
  type RecordedGeneration,
  type RecordReading,
} from "../../model/index.ts";
import type {
  FileDrift,
  FilesObservation,
  FleetIdentity,
  HostObservation,
} from "../../plan/index.ts";
import { isAppliedSecret } from "../secrets/secrets.ts";
import type { ObserveHostRequest } from "./observe-request.ts";

/** What of the files of a fleet's pods to look at; of a fleet without files only whether any are left. */
export function wantedFiles(request: ObserveHostRequest): {
  readonly list: readonly string[];
  readonly contents: readonly string[];
} {
  const places = placesOf(request).map(({ layout }) => layout);
  const [first] = places;
  const directories = places.flatMap(({ filesDir, secretsDir }) => [filesDir, secretsDir]);
  const isWanted = Object.values(request.spec.pods ?? {}).some(hasFiles);
  return {
    list: first === undefined ? directories : [...directories, first.secretsHome],
    contents: isWanted ? directories.map((directory) => `${directory}/*/*`) : [],
  };
}

/** The files of a fleet's pods as they are; undefined where there are none and none should be. */
export function observeFiles(
  snapshot: HostSnapshot,
  request: ObserveHostRequest,
  { engine, others, records }: Pick<HostObservation, "engine" | "others" | "records">,
): FilesObservation | undefined {
  const places = placesOf(request);
  const directories = places.flatMap(({ fleet, layout }) => {
    const names = [layout.filesDir, layout.secretsDir].flatMap(
      (path) => snapshot.entries.get(path) ?? [],
    );
    return [...new Set(names)].map((name) => ({ ...fleet, name }));
  });
  const emptied = places.filter(({ layout }) => isEmptied(snapshot, layout));
  const pods = [
    ...engine.pods,
    ...others.flatMap((other) => (other.kind === "observed" ? other.engine.pods : [])),
  ];
  const drift = pods.flatMap((pod) => {
    const { layout } = places.find((each) => isOf(each.fleet, pod)) ?? {};
    if (layout === undefined) return [];
    const found = driftOf(pod, snapshot, layout, request, records);
    return found.length === 0 ? [] : [[objectName(pod), found] as const];
  });
  if (directories.length + emptied.length + drift.length === 0) return undefined;
  return { drift: new Map(drift), directories, emptied: emptied.map(({ fleet }) => fleet) };
}

function placesOf({
  manifest,
  spec,
}: ObserveHostRequest): readonly { readonly fleet: FleetIdentity; readonly layout: HostLayout }[] {
  const { id: owner } = manifest;
  const directories = hostDirectories(spec);
  return fleetNames(manifest).map((fleet) => ({
    fleet: { owner, fleet },
    layout: hostLayout(directories, owner, fleet),
  }));
}

function isOf(fleet: FleetIdentity, pod: ObservedPod): boolean {
  return fleet.owner === pod.owner && fleet.fleet === pod.fleet;
}

function isEmptied({ entries }: HostSnapshot, layout: HostLayout): boolean {
  const { filesDir, secretsDir, secretsHome } = layout;
  return [filesDir, secretsDir, secretsHome].some((path) => entries.get(path)?.length === 0);
}

function driftOf(
  pod: ObservedPod,
  snapshot: HostSnapshot,
  layout: HostLayout,
  { spec }: ObserveHostRequest,
  records: ReadonlyMap<string, RecordReading>,
): readonly FileDrift[] {
  const reading = records.get(`${pod.owner}/${pod.fleet}/${pod.pod}`);
  const record = reading?.kind === "record" ? reading.record : undefined;
  const recorded = record?.generations.find(({ generation }) => generation === pod.generation);
  // of a pod without a record, what is declared is all that there is to compare with
  const declared = record === undefined ? spec.pods?.[pod.pod] : undefined;
  const applied = recorded ?? (declared === undefined ? undefined : { spec: declared });
  if (applied === undefined || !hasFiles(applied.spec)) return [];
  return filesOf(applied.spec).flatMap((file) => {
    const above = file.spec.secret === undefined ? layout.filesDir : layout.secretsDir;
    const found = snapshot.contents.get(`${above}/${filesDirName(pod)}/${file.name}`);
    return compareFile(file, found, { applied, salt: record?.salt, user: snapshot.user });
  });
}

interface Applied {
  readonly applied: Pick<RecordedGeneration, "spec" | "secrets">;
  readonly salt: string | undefined;
  readonly user: HostSnapshot["user"];
}

function compareFile(
  file: DeclaredFile,
  found: FileContent | Error | undefined,
  applied: Applied,
): readonly FileDrift[] {
  const { attribute, spec, mode } = file;
  if (found === undefined) {
    const text =
      spec.secret === undefined
        ? "the file is gone from the host"
        : "the file is gone from the host's memory, as after a reboot, and without it the pod does not start";
    return [{ path: attribute, text, secret: spec.secret !== undefined }];
  }
  if (found instanceof Error) return [{ path: attribute, text: found.message }];
  const content = contentDrift(file, found, applied);
  const { user } = applied;
  const [uid, gid] = [file.uid ?? user.uid, file.gid ?? user.gid];
  return [
    ...(content === undefined ? [] : [content]),
    ...differs(`${attribute}.mode`, octal(found.mode), octal(mode)),
    ...differs(`${attribute}.uid`, found.uid, uid),
    ...differs(`${attribute}.gid`, found.gid, gid),
  ];
}

/** Of a secret only the fact that it differs is shown. */
function contentDrift(
  { attribute, spec }: DeclaredFile,
  { bytes }: FileContent,
  { applied, salt }: Applied,
): FileDrift | undefined {
  const plain = fileContent(spec);
  if (plain === undefined) {
    const isSame = bytes === undefined ? false : isAppliedSecret(bytes, attribute, applied, salt);
    return isSame === false
      ? {
          path: attribute,
          secret: true,
          text: "its content differs from the secret that was applied",
        }
      : undefined;
  }
  if (bytes !== undefined && plain.equals(bytes)) return undefined;
  return {
    path: `${attribute}.${spec.base64 === undefined ? "content" : "base64"}`,
    before: bytes === undefined ? "a file of another size" : contentWords(bytes),
    after: contentWords(plain),
  };
}

function differs(path: string, before: string | number, after: string | number): FileDrift[] {
  return before === after ? [] : [{ path, before, after }];
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
