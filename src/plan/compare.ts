import {
  type AppliedImage,
  type AttributeChange,
  attributesOf,
  type CapabilityTable,
  type ChangeVerdict,
  canonicalText,
  capabilityOf,
  contentWords,
  DEFAULTS_VERSION,
  diffAttributes,
  type Json,
  type ObservedPod,
  PodSpec,
  type RecordedGeneration,
} from "../model/index.ts";
import { OTHER_NAME, type Reason, type ResolvedPod } from "./plan.ts";
import type { SecretComparison } from "./plan-input.ts";

/** Where the value of a secret comes from: the last step of its path. */
export const SECRET_PATH = /\.secret\.(?:fromEnv|fromFile|fromCommand)$/;

/** What differs between what is declared and what was last applied, images and secrets included. */
export function declaredReasons(
  desired: ResolvedPod,
  applied: RecordedGeneration,
  capabilities: CapabilityTable,
  secrets: ReadonlyMap<string, SecretComparison> | undefined,
): readonly Reason[] {
  const reasons: Reason[] = [...specReasons(desired, applied, capabilities)];
  reasons.push(...imageReasons(desired, applied));
  for (const [path, { state }] of secrets ?? []) {
    if (state === "changed")
      reasons.push({ kind: "declared", path, secret: true, verdict: "replace" });
  }
  if (applied.defaults !== DEFAULTS_VERSION) {
    reasons.push({
      kind: "declared",
      path: "",
      before: applied.defaults,
      after: DEFAULTS_VERSION,
      verdict: "replace",
      text: "Stowage's own defaults changed",
    });
  }
  return reasons;
}

function specReasons(
  desired: ResolvedPod,
  applied: RecordedGeneration,
  capabilities: CapabilityTable,
): readonly Reason[] {
  if (applied.spec === desired.spec) return [];
  const changes = diffAttributes(PodSpec, applied.spec, desired.spec);
  return changes.map((change): Reason => {
    const { fieldPath, verdict } = change;
    const { before, after } = change.long === true ? shortened(change) : change;
    const path = change.path.replace(SECRET_PATH, "");
    const value = change.after ?? change.before ?? null;
    const isName = isOtherName(path, desired, applied);
    const known = isName
      ? nameVerdict(capabilities, path, desired, applied)
      : engineVerdict(capabilities, fieldPath, value, verdict);
    if (path !== change.path) {
      const text = secretWords(changes.filter((each) => each.path.startsWith(`${path}.secret.`)));
      return { kind: "declared", path, secret: true, text, verdict: known };
    }
    return {
      kind: "declared",
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      verdict: known,
      ...(isName ? { text: OTHER_NAME } : {}),
    };
  });
}

/** Whether a reference was changed and leads to what it led to: nobody gets a new version by it. */
function isOtherName(path: string, desired: ResolvedPod, applied: RecordedGeneration): boolean {
  const [was, is] = imagesAt(path, desired, applied);
  return was !== undefined && is !== undefined && isSameImage(was, is);
}

/** What another name of an image costs: nothing where the engine can note it, unless its bytes are in another form too. */
function nameVerdict(
  capabilities: CapabilityTable,
  path: string,
  desired: ResolvedPod,
  applied: RecordedGeneration,
): ChangeVerdict {
  const [was, is] = imagesAt(path, desired, applied);
  const { change, otherName } = capabilityOf(capabilities, "containers.*.image", null);
  return (was?.digest === is?.digest ? otherName : undefined) ?? change ?? "replace";
}

function imagesAt(path: string, desired: ResolvedPod, applied: RecordedGeneration) {
  const container = /^containers\.([a-z0-9-]+)\.image$/.exec(path)?.[1] ?? "";
  return [applied.images[container], desired.images[container]] as const;
}

/** What became of a secret, by all that changed of where it comes from. */
function secretWords(changes: readonly AttributeChange[]): string {
  if (changes.every(({ before }) => before === undefined)) return "it is set to a secret";
  if (changes.every(({ after }) => after === undefined)) return "the secret is not set any more";
  return "the source of the secret changed";
}

/** Both sides of a change of a long text, as they are shown. */
function shortened({ path, before, after }: AttributeChange): Pick<Reason, "before" | "after"> {
  const words = (value: Json): string =>
    contentWords(Buffer.from(String(value), path.endsWith(".base64") ? "base64" : "utf8"));
  return {
    ...(before === undefined ? {} : { before: words(before) }),
    ...(after === undefined ? {} : { after: words(after) }),
  };
}

/** What differs between what was last applied and what the engine reports: only fields that were set. */
export function driftReasons(
  applied: Pick<RecordedGeneration, "spec" | "images">,
  observed: ObservedPod,
  capabilities: CapabilityTable,
  ignored: readonly string[] = [],
): readonly Reason[] {
  const reasons: Reason[] = [];
  for (const attribute of attributesOf(PodSpec, applied.spec).values()) {
    if (isBelow(attribute.fieldPath, ignored)) continue;
    const found = reportedValue(observed, attribute.path);
    if (found === undefined || found === attribute.value) continue;
    if (canonicalText(found) === canonicalText(attribute.value)) continue;
    reasons.push({
      kind: "drift",
      path: attribute.path,
      ...(found === null ? {} : { before: found }),
      after: attribute.value,
      verdict: engineVerdict(capabilities, attribute.fieldPath, attribute.value, attribute.verdict),
    });
  }
  for (const [name, container] of Object.entries(observed.containers)) {
    if (container.altered === undefined) continue;
    const path = `containers.${name}`;
    reasons.push({ kind: "drift", path, verdict: "replace", text: container.altered });
  }
  return isBelow("containers.*.image", ignored)
    ? reasons
    : [...reasons, ...imageDrift(applied, observed)];
}

function imageDrift(
  { images }: Pick<RecordedGeneration, "images">,
  { containers }: ObservedPod,
): readonly Reason[] {
  return Object.entries(containers).flatMap(([name, container]): Reason[] => {
    const [is, was] = [container.image.digest, images[name]?.digest];
    if (is === undefined || was === undefined || is === was) return [];
    const path = `containers.${name}.image`;
    return [{ kind: "drift", path, before: is, after: was, verdict: "replace" }];
  });
}

/** Whether a field is one of these, or below one. */
function isBelow(fieldPath: string, fields: readonly string[]): boolean {
  return fields.some(
    (field) =>
      fieldPath === field || fieldPath.startsWith(`${field}.`) || fieldPath.startsWith(`${field}[`),
  );
}

/** Fields of a declaration that the engine does not report: what cannot be compared without a record. */
export function uncomparedPaths(spec: PodSpec, observed: ObservedPod): readonly string[] {
  return [...attributesOf(PodSpec, spec).keys()].filter(
    (path) => reportedValue(observed, path) === undefined && !path.endsWith(".image"),
  );
}

/** The strongest verdict of reasons. */
export function strongestVerdict(reasons: readonly Reason[]): ChangeVerdict | "none" {
  for (const verdict of ["replace", "restart", "live"] as const) {
    if (reasons.some((reason) => reason.verdict === verdict)) return verdict;
  }
  return "none";
}

function imageReasons(desired: ResolvedPod, applied: RecordedGeneration): readonly Reason[] {
  return Object.entries(desired.images).flatMap(([container, image]): Reason[] => {
    const was = applied.images[container];
    if (was === undefined || isSameImage(was, image)) return [];
    const sameReference =
      desired.spec.containers[container]?.image === applied.spec.containers[container]?.image;
    return [
      {
        kind: "declared",
        path: `containers.${container}.image`,
        before: `${was.reference} (${was.digest})`,
        after: `${image.reference} (${image.digest})`,
        verdict: "replace",
        ...(sameReference ? { text: "the reference resolves to another image now" } : {}),
      },
    ];
  });
}

/** The manifest's digest, or the config's where an engine keeps layers in another form. */
function isSameImage(one: AppliedImage, other: AppliedImage): boolean {
  if (one.digest === other.digest) return true;
  return one.configDigest !== undefined && one.configDigest === other.configDigest;
}

function engineVerdict(
  table: CapabilityTable,
  fieldPath: string,
  value: Json,
  verdict: ChangeVerdict,
): ChangeVerdict {
  return capabilityOf(table, fieldPath, value).change ?? verdict;
}

function reportedValue(observed: ObservedPod, path: string): Json | undefined {
  const match = /^containers\.([a-z0-9-]+)\.(.+)$/.exec(path);
  if (match === null) return observed.reported[path];
  return observed.containers[match[1] as string]?.reported[match[2] as string];
}
