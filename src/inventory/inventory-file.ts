import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import * as z from "zod";
import { groupLabel } from "../constructs/index.ts";
import { type Diagnostic, DiagnosticsError, StowageError } from "../errors/index.ts";
import { ENGINE_KINDS, EngineConfig, HostSpec, Name } from "../model/index.ts";
import type { InventoryHost } from "./inventory-host.ts";

/** Loaded by apps that read a file, and by no other. */
const loadYaml = (): typeof import("yaml") => createRequire(import.meta.url)("yaml");

/** No list of hosts is longer. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

const Labels = z.record(z.string().min(1).max(256), z.string().max(1024));

/** An engine by its kind alone, or with what there is to say of it. */
const EngineWord = z.union([
  z.enum(ENGINE_KINDS).transform((kind) => EngineConfig.parse({ kind })),
  EngineConfig,
]);

const { address, stateDir, runDir } = HostSpec.shape;

/** What hosts of a group have in common. */
const common = {
  labels: Labels.optional(),
  engine: EngineWord.optional(),
  stateDir,
  runDir,
};

const HostEntry = z.union([
  address.transform((at) => ({ address: at })),
  z.strictObject({ address, groups: z.array(Name).optional(), ...common }),
]);

const InventoryFile = z.strictObject({
  version: z.literal("stowage/inventory/v1").optional(),
  /** Of all hosts that say nothing else. */
  defaults: z.strictObject(common).optional(),
  groups: z.record(Name, z.strictObject({ hosts: z.array(Name).optional(), ...common })).optional(),
  hosts: z.record(Name, HostEntry),
});
type InventoryFile = z.infer<typeof InventoryFile>;
type HostEntry = Exclude<z.infer<typeof HostEntry>, string> & {
  readonly groups?: readonly string[] | undefined;
} & Partial<Pick<NonNullable<InventoryFile["defaults"]>, keyof typeof common>>;

/**
 * The hosts of an inventory file: what a host says wins over its groups, in the order in which it names
 * them, and those over the defaults.
 *
 * @throws StowageError when it cannot be read
 * @throws DiagnosticsError with everything that is wrong, each with line and path
 */
export function readInventoryFile(path: string): ReadonlyMap<string, InventoryHost> {
  const { json, lineOf } = parseFile(path, readText(path));
  const result = InventoryFile.safeParse(json);
  if (!result.success) {
    throw new DiagnosticsError(
      `Inventory "${path}"`,
      flatIssues(result.error.issues).map(({ at, text }) => mistake(path, at, lineOf(at), text)),
    );
  }
  const file = result.data;
  const unknown = unknownNames(file);
  if (unknown.length > 0) {
    throw new DiagnosticsError(
      `Inventory "${path}"`,
      unknown.map(({ at, text }) => mistake(path, at, lineOf(at), text)),
    );
  }
  return new Map(
    Object.entries(file.hosts).map(([name, entry]) => [name, hostOf(name, entry, file)]),
  );
}

type Path = readonly PropertyKey[];

interface Finding {
  readonly at: Path;
  readonly text: string;
  /** It only says that another type is wanted. */
  readonly isOfType?: boolean;
}

function hostOf(name: string, entry: HostEntry, file: InventoryFile): InventoryHost {
  const { groups: known = {}, defaults = {} } = file;
  const named = Object.keys(known).filter((group) => known[group]?.hosts?.includes(name));
  const groups = [...new Set([...(entry.groups ?? []), ...named])];
  const layers = [defaults, ...groups.map((group) => known[group] ?? {}).reverse(), entry];
  const pick = <K extends "engine" | "stateDir" | "runDir">(key: K) =>
    layers.findLast((layer) => layer[key] !== undefined)?.[key];
  const labels = Object.assign(
    {},
    ...layers.map((layer) => layer.labels ?? {}),
    Object.fromEntries(groups.map(groupLabel)),
  );
  const [engine, state, run] = [pick("engine"), pick("stateDir"), pick("runDir")];
  return {
    address: entry.address,
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(engine === undefined ? {} : { engine }),
    ...(state === undefined ? {} : { stateDir: state }),
    ...(run === undefined ? {} : { runDir: run }),
  };
}

/** Groups that hosts name, and hosts that groups name, and that are not there. */
function unknownNames({ hosts, groups = {} }: InventoryFile): readonly Finding[] {
  const ofHosts = Object.entries(hosts).flatMap(([host, entry]) =>
    ((entry as HostEntry).groups ?? []).flatMap((group, index): Finding[] =>
      Object.hasOwn(groups, group)
        ? []
        : [{ at: ["hosts", host, "groups", index], text: `there is no group "${group}"` }],
    ),
  );
  const ofGroups = Object.entries(groups).flatMap(([group, { hosts: named = [] }]) =>
    named.flatMap((host, index): Finding[] =>
      Object.hasOwn(hosts, host)
        ? []
        : [{ at: ["groups", group, "hosts", index], text: `there is no host "${host}"` }],
    ),
  );
  return [...ofHosts, ...ofGroups];
}

function readText(path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Error("it is larger than 4 MiB");
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StowageError(
      `Cannot read inventory "${path}": ${reason}; correct its path, which is relative to the project`,
      { code: "invalid_argument", cause: error },
    );
  }
}

/** JSON is YAML, so that both have lines. */
function parseFile(path: string, text: string) {
  const { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } = loadYaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    throw new DiagnosticsError(
      `Inventory "${path}"`,
      problems.map((each) => mistake(path, [], lines.linePos(each.pos[0]).line, each.message)),
    );
  }
  const valueIn = (node: unknown, key: PropertyKey): readonly [key: unknown, value: unknown] => {
    const held = isAlias(node) ? node.resolve(document) : node;
    if (isSeq(held)) return [held.items[Number(key)], held.items[Number(key)]];
    const items = isMap(held) ? held.items : [];
    const pair = items.find(({ key: name }) => String(isScalar(name) ? name.value : name) === key);
    return [pair?.key, pair?.value];
  };
  const lineOf = (at: Path): number => {
    let [node, line]: [unknown, number] = [document.contents, 1];
    for (const key of at) {
      const [place, value] = valueIn(node, key);
      const start = isNode(place) ? place.range?.[0] : undefined;
      if (start === undefined) break;
      line = lines.linePos(start).line;
      node = value;
    }
    return line;
  };
  return { json: toJson(path, document), lineOf };
}

/** What aliases mean is bounded: a file could be short and mean more than fits into memory. */
function toJson(
  path: string,
  document: { toJS(options: { maxAliasCount: number }): unknown },
): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StowageError(`Cannot read inventory "${path}": ${reason}; write it without aliases`, {
      code: "invalid_argument",
      cause: error,
    });
  }
}

/** Of a choice the alternative that came furthest says what is wrong; one of another type says little. */
function flatIssues(issues: readonly z.core.$ZodIssue[], above: Path = []): readonly Finding[] {
  return issues.flatMap((issue): readonly Finding[] => {
    const at = [...above, ...issue.path];
    if (issue.code !== "invalid_union" || issue.errors.length === 0)
      return [{ at, text: issue.message, isOfType: issue.code === "invalid_type" }];
    const found = issue.errors.map((each) => flatIssues(each, at));
    return found.reduce((best, each) => (worthOf(each) > worthOf(best) ? each : best));
  });
}

function worthOf(findings: readonly Finding[]): number {
  return Math.max(0, ...findings.map(({ at, isOfType }) => 2 * at.length + (isOfType ? 0 : 1)));
}

function mistake(path: string, at: Path, line: number, summary: string): Diagnostic {
  const place = at.map(String).join(".");
  return { severity: "error", path: `${path}:${line}${place === "" ? "" : ` ${place}`}`, summary };
}
