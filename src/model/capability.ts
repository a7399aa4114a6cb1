import type { ChangeVerdict, Json } from "./field.ts";

/** Whether an engine can do what a field declares. */
export type Support = "native" | "emulated" | "unsupported";

/**
 * How it is known that an engine does what its table says. `kernel`: a test saw it in /proc, the
 * cgroup file system or what the process did; `spec only`: it is in what the engine is given;
 * `transcript`: a recorded run of the engine shows it; `nobody`: nobody has looked.
 */
export type Knowledge = "kernel" | "spec only" | "nobody" | { readonly transcript: string };

/** What an engine can do with one field. */
export interface Capability {
  readonly support: Support;
  /** Why not, or how it is emulated and while what runs. Required unless native. */
  readonly reason?: string;
  /** What has to run for an emulated field to hold: `stowage apply`. */
  readonly while?: string;
  /** @defaultValue nobody */
  readonly known?: Knowledge;
  /** What would work instead, for an unsupported field. */
  readonly instead?: string;
  /** How this engine applies a change of the field, where that is not as the field says. */
  readonly change?: ChangeVerdict;
  /** Of an image: how this engine takes another name of the very same one, where that is not a change of it. */
  readonly otherName?: ChangeVerdict;
  /** The values that this entry speaks of; all of them when absent. */
  readonly values?: readonly Json[];
}

/**
 * What an engine can do, by field path (`containers.*.resources.memoryBytes`). A field without an
 * entry takes the one of the nearest field above it; where there is none it is unsupported. Several
 * entries of one field speak of different `values`.
 */
export type CapabilityTable = Readonly<Record<string, Capability | readonly Capability[]>>;

const UNKNOWN_FIELD: Capability = {
  support: "unsupported",
  reason: "this engine does not support it",
};

const resolved = new WeakMap<CapabilityTable, Map<string, readonly Capability[]>>();

/** What an engine can do with a field that has a value. */
export function capabilityOf(table: CapabilityTable, fieldPath: string, value: Json): Capability {
  const entries = entriesOf(table, fieldPath);
  return entries.find(({ values }) => values?.includes(value) ?? true) ?? UNKNOWN_FIELD;
}

/** All that an engine says of a field: the entries of the nearest field that has some. */
export function capabilitiesOf(table: CapabilityTable, fieldPath: string): readonly Capability[] {
  for (let path = fieldPath; path !== ""; path = parentPath(path)) {
    const entries = table[path];
    if (entries !== undefined) return ([] as Capability[]).concat(entries);
  }
  return [UNKNOWN_FIELD];
}

/** How something is known, for people: `transcript prepare-3`. */
export function knowledgeWords({ known = "nobody" }: Capability): string {
  return typeof known === "string" ? known : `transcript ${known.transcript}`;
}

/** The entries of a field and of all above it, nearest first. */
function entriesOf(table: CapabilityTable, fieldPath: string): readonly Capability[] {
  let known = resolved.get(table);
  if (known === undefined) {
    known = new Map();
    resolved.set(table, known);
  }
  let entries = known.get(fieldPath);
  if (entries === undefined) {
    const found: Capability[] = [];
    for (let path = fieldPath; path !== ""; path = parentPath(path)) {
      found.push(...([] as Capability[]).concat(table[path] ?? []));
    }
    entries = found;
    known.set(fieldPath, entries);
  }
  return entries;
}

function parentPath(path: string): string {
  return path.endsWith("[*]")
    ? path.slice(0, -3)
    : path.slice(0, Math.max(0, path.lastIndexOf(".")));
}
