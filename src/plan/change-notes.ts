import {
  isSecret,
  type ObservedPod,
  type PodSpec,
  restartSupport,
  type Volume,
  writableVolumes,
} from "../model/index.ts";
import { SECRET_PATH, uncomparedPaths } from "./compare.ts";
import { unreadableNotes } from "./file-notes.ts";
import type { ResolvedPod } from "./plan.ts";
import { appliedSpec, type PodContext } from "./pod-context.ts";

/** What a reader of the plan should know beside the change itself. */
export function notesFor(
  context: PodContext,
  desired: ResolvedPod,
  current: ObservedPod | undefined,
): readonly string[] {
  return [
    ...secretNotes(context, desired.spec),
    ...unreadableNotes(desired.spec, context.imageUsers),
    ...recordNotes(context, desired.spec, current),
    ...volumeNotes(desired.spec),
    ...ownershipNotes(context, desired.spec),
    ...restartNotes(context, desired.spec),
  ];
}

function secretNotes(context: PodContext, spec: PodSpec): readonly string[] {
  const notes = [...(context.secrets ?? [])]
    .filter(([, { state }]) => state === "not-compared")
    .map(([path, { why }]) => `${path} not compared: ${why}`);
  const environments = Object.values(spec.containers).map(({ env }) => Object.values(env ?? {}));
  if (!environments.flat().some(isSecret)) return notes;
  return [
    ...notes,
    "secrets in env are kept by the engine in its own database, which only its user may read",
  ];
}

function recordNotes(
  context: PodContext,
  spec: PodSpec,
  current: ObservedPod | undefined,
): readonly string[] {
  if (current === undefined || context.recordLost === undefined) return [];
  const paths = uncomparedPaths(spec, current).filter(
    // files are read themselves, but for what only a record tells of secrets
    (path) => !/^containers\.[^.]+\.files\[/.test(path) || SECRET_PATH.test(path),
  );
  if (paths.length === 0) return [];
  return [`not compared, because its record ${context.recordLost}: ${paths.join(", ")}`];
}

/** Said with each change of such a pod: without its watch, what ends stays so. */
function restartNotes({ observation }: PodContext, spec: PodSpec): readonly string[] {
  if (spec.restart === undefined) return [];
  const { support, while: during } = restartSupport(observation.capabilities, spec);
  if (support !== "emulated") return [];
  return [`restart policy ${spec.restart.policy} is emulated: only while ${during}`];
}

function volumeNotes(spec: PodSpec): readonly string[] {
  if (spec.replacement !== "start-first") return [];
  return writableVolumes(spec).map(
    (volume) => `while it is replaced, two processes have volume ${volume} open`,
  );
}

/** Of a directory that is there such a change is recorded and no more, and must not look as if it were made. */
function ownershipNotes(context: PodContext, spec: PodSpec): readonly string[] {
  const applied = appliedSpec(context)?.volumes ?? {};
  return Object.entries(spec.volumes ?? {}).flatMap(([key, volume]) => {
    if (volume.kind !== "named" || ownership(volume) === ownership(applied[key])) return [];
    const there = context.observation.volumes.get(volume.name);
    if (there === undefined) return [];
    return [
      `volume ${volume.name} exists already and keeps its owner and mode, which are set only when it is created; to change them, use chown and chmod on ${there.path}`,
    ];
  });
}

function ownership(volume: Volume | undefined): string {
  if (volume?.kind !== "named") return "";
  return [volume.uid, volume.gid, volume.mode].join(" ").trim();
}
