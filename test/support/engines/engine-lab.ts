import type { RealEngine } from "../../set-up/engine-provision.ts";

/** A real engine for one fleet alone, and how it is looked at from outside. */
export interface EngineLab {
  readonly kind: RealEngine;
  /** As a host of a manifest declares it. */
  readonly config: { readonly kind: RealEngine } & Readonly<Record<string, unknown>>;
  /**
   * Everything in the engine and in the kernel that is not one of a kind: numbers of generations, hashes
   * and process ids are taken out, so that two ways to one state are told alike.
   */
  traces(): Promise<Traces>;
  /** Ends and removes everything, whatever state it is in. */
  close(): Promise<void>;
}

/** What there is, by where it was looked for; sorted. */
export type Traces = Readonly<Record<string, readonly string[]>>;

/** Sorted, each without the number of its generation and its hash (`stw-web-main-3-abc…`), or a podman pod's. */
export function plainNames(names: readonly string[]): readonly string[] {
  return names
    .map((name) =>
      name
        .replaceAll(/(stw-[a-z0-9-]*?)-\d+-[a-z2-7]{26}/g, "$1")
        .replaceAll(/\b[0-9a-f]{12}-infra\b/g, "infra"),
    )
    .sort();
}
