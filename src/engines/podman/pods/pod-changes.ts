import * as z from "zod";
import { StowageError } from "../../../errors/index.ts";
import type { PodIdentity, Resources } from "../../../model/index.ts";
import { callOptions, type PodmanContext } from "../context.ts";

const PodChanges = z.object({
  /** Ids of the containers that it speaks of: those of a pod made later are others. */
  ids: z.record(z.string(), z.string()),
  recordDigest: z.string(),
  /** Limits by container. */
  resources: z.record(z.string(), z.record(z.string(), z.union([z.number(), z.string()]))),
  /** Paths of declared attributes that podman can tell, by container. */
  declared: z.record(z.string(), z.array(z.string())),
  podDeclared: z.array(z.string()),
  /** What their images are declared as now, by container; absent in files of before that could change. */
  images: z.record(z.string(), z.string()).optional(),
});

/**
 * What was changed of a generation since it was made. podman changes neither labels nor, before 5.0,
 * the limits that the next start goes by, so it is kept in a file.
 */
export type PodChanges = Readonly<z.infer<typeof PodChanges>>;

/** Reads what was changed; undefined when nothing was, or of other containers than those that are there. */
export function parseChanges(
  text: string | Error | undefined,
  ids: Readonly<Record<string, string>>,
): PodChanges | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const changes = PodChanges.safeParse(JSON.parse(text)).data;
    if (changes === undefined) return undefined;
    const names = Object.keys(ids);
    return names.every((name) => changes.ids[name] === ids[name]) ? changes : undefined;
  } catch {
    return undefined;
  }
}

/** Reads what was changed of one generation. */
export async function readChanges(
  { host, files }: PodmanContext,
  identity: PodIdentity,
  ids: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<PodChanges | undefined> {
  const path = files.podFile(identity);
  const { files: found } = await host.snapshot({ files: [path] }, callOptions(signal));
  const text = found.get(path);
  if (text instanceof Error) {
    throw StowageError.from(text, `Cannot read what was changed of pod "${identity.pod}"`);
  }
  return parseChanges(text, ids);
}

/** Writes what was changed of a generation. */
export async function writeChanges(
  { host, files }: PodmanContext,
  identity: PodIdentity,
  changes: PodChanges,
): Promise<void> {
  await host.writeFile(files.podFile(identity), `${JSON.stringify(PodChanges.parse(changes))}\n`);
}

/** The limits of a container: what was changed, else what it was made with. */
export function limitsOf(
  changes: PodChanges | undefined,
  name: string,
  made: Readonly<Record<string, number | string>>,
): Resources {
  return (changes?.resources[name] ?? made) as Resources;
}
