/** What the transcripts contain: all that the double answers. Derived when it is built. */
export interface Vocabulary {
  /** What `rkt help <command>` prints, by command. */
  readonly usages: Readonly<Record<string, string>>;
  /** Flags that runs gave, by command; `""` has the global ones. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  /** Values that runs gave to global and to enumerated flags. */
  readonly values: Readonly<Record<string, readonly string[]>>;
  /** Paths of the fields of pod manifests that runs were given. */
  readonly manifestFields: readonly string[];
}

/** How a flag takes its value, as its usage line says. */
export type FlagKind = "switch" | "optional" | "value";

/** The flags of a usage text, its own and the global ones. */
export function flagKinds(usage: string): {
  readonly own: ReadonlyMap<string, FlagKind>;
  readonly global: ReadonlyMap<string, FlagKind>;
} {
  const [own = "", global = ""] = usage.split("GLOBAL OPTIONS:");
  return { own: kindsIn(own), global: kindsIn(global) };
}

function kindsIn(text: string): ReadonlyMap<string, FlagKind> {
  const lines = text.matchAll(/^ {6}--([a-z0-9-]+)(\[=false\])?(\[=)?/gm);
  return new Map(
    [...lines].map(([, name = "", toggle, optional]) => {
      if (toggle !== undefined) return [name, "switch"];
      return [name, optional === undefined ? "value" : "optional"];
    }),
  );
}

/** Flags whose values are one of a few words. */
const ENUMERATED = new Set(["format", "insecure-options", "net", "pull-policy", "stage1-name"]);
/** Objects of a manifest whose keys are data. */
const FREE_KEYS = new Set(["userAnnotations", "userLabels"]);

/** The values of a flag that must each be in a transcript; none for a flag that takes anything. */
export function enumeratedValues(flag: string, value: string): readonly string[] {
  if (!ENUMERATED.has(flag)) return [];
  return flag === "insecure-options" ? value.split(",") : [value];
}

/** The paths of all fields of a manifest; isolators and volumes are told apart by name and kind. */
export function manifestPaths(value: unknown, path = ""): readonly string[] {
  if (Array.isArray(value)) {
    const items = value.flatMap((item: unknown) =>
      manifestPaths(item, `${path}[${elementKind(path, item)}]`),
    );
    return [path, ...items];
  }
  if (typeof value !== "object" || value === null) return [path];
  if (FREE_KEYS.has(path.slice(path.lastIndexOf(".") + 1))) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, inner]) => manifestPaths(inner, `${path}.${key}`)),
  ];
}

function elementKind(path: string, item: unknown): string {
  const { name, kind } = (item ?? {}) as { readonly name?: unknown; readonly kind?: unknown };
  if (path.endsWith(".isolators")) return String(name);
  return path === ".volumes" ? String(kind) : "";
}
