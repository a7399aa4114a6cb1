import type { Diagnostic } from "../../errors/index.ts";
import type { FleetManifest } from "../fleet.ts";
import type { PodSpec } from "../pod.ts";

/** Findings of one rule, in the order of the manifest. */
export type Findings = Iterable<Diagnostic>;

/** One pod and where it stands. */
export interface PodPlace {
  readonly host: string;
  readonly name: string;
  /** `hosts.<host>.pods.<pod>`. */
  readonly path: string;
  readonly pod: PodSpec;
}

/** Every pod of one host. */
export function podsOf(manifest: FleetManifest, host: string): readonly PodPlace[] {
  return Object.entries(manifest.hosts[host]?.pods ?? {}).map(([name, pod]) => ({
    host,
    name,
    path: `hosts.${host}.pods.${name}`,
    pod,
  }));
}

/** Every pod of the fleet. */
export function allPods(manifest: FleetManifest): readonly PodPlace[] {
  return Object.keys(manifest.hosts).flatMap((host) => podsOf(manifest, host));
}

/** A finding that keeps the manifest from being used. */
export function mistake(path: string, summary: string, detail: string): Diagnostic {
  return { severity: "error", summary, detail, path };
}

/** A finding that does not. */
export function warning(path: string, summary: string, detail: string): Diagnostic {
  return { severity: "warning", summary, detail, path };
}

/** Values that come more than once, by the key that makes them the same. */
export function duplicates<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return new Map([...groups].filter(([, group]) => group.length > 1));
}
