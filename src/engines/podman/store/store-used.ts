import * as z from "zod";
import { type HostReader, nameOfTemporary } from "../../../host/index.ts";
import { OBJECT_PREFIX } from "../../../model/index.ts";
import type { ListedImage } from "../cli/answers.ts";
import { callOptions, type PodmanContext } from "../context.ts";
import { UNFINISHED_SUFFIX } from "./own-files.ts";
import { imageListFiles, imagesIn } from "./stored-images.ts";

/** Databases that podman makes with its first use of a store: that of 4.3, and that of 5. */
const DATABASES = ["libpod/bolt_state.db", "db.sql"];

/** Whether podman has ever been used with a store; asking podman itself would make one. */
export async function storeUsed(
  host: HostReader,
  graphRoot: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const exist = DATABASES.map((name) => `${graphRoot}/${name}`);
  const { existing } = await host.snapshot({ exist }, callOptions(signal));
  return existing.size > 0;
}

/** A container in the list that containers/storage keeps of what it holds for podman. */
const StoredContainer = z.object({
  id: z.string(),
  names: z
    .array(z.string())
    .nullish()
    .transform((names) => names ?? []),
  image: z.string().default(""),
});
/** A container whose file system is in a store. */
export type StoredContainer = z.infer<typeof StoredContainer>;
const StoredContainers = z.array(StoredContainer);

/** What a store's files tell before podman is asked. */
export interface StoreGlance {
  readonly isUsed: boolean;
  /** Containers whose file system is in the store; undefined if its files do not show that. */
  readonly stored: readonly StoredContainer[] | undefined;
  /** Its images, where they were asked for; undefined where its files do not tell. */
  readonly images: readonly ListedImage[] | undefined;
  /** Names of what was being made or removed when somebody ended, or is now. */
  readonly unfinished: readonly string[];
}

/** Name of the container that holds a podman pod's namespaces. */
const INFRA = /^[0-9a-f]{12}-infra$/;

/** Looks at a store's files, in one look. */
export async function glanceAtStore(
  { host, facts: { graphRoot, hasOtherStores }, files: { podsDir } }: PodmanContext,
  signal: AbortSignal | undefined,
  { images = false }: { readonly images?: boolean } = {},
): Promise<StoreGlance> {
  const isListed = images && !hasOtherStores;
  // a store has a folder for each way of keeping layers that it was ever used with
  const lists = `${graphRoot}/*-containers`;
  const {
    existing,
    files: found,
    entries,
  } = await host.snapshot(
    {
      exist: DATABASES.map((name) => `${graphRoot}/${name}`),
      files: [
        `${lists}/containers.json`,
        `${lists}/volatile-containers.json`,
        ...(isListed ? imageListFiles(graphRoot) : []),
      ],
      list: [podsDir],
    },
    callOptions(signal),
  );
  return {
    isUsed: existing.size > 0,
    stored: storedIn(found),
    images: isListed ? imagesIn(found) : undefined,
    unfinished: (entries.get(podsDir) ?? [])
      .map((name) => nameOfTemporary(name) ?? name)
      .filter((name) => name.endsWith(UNFINISHED_SUFFIX))
      .map((name) => name.slice(0, -UNFINISHED_SUFFIX.length)),
  };
}

/** Whether a stored container may be Stowage's, or hold a pod that is. */
export function mayBeOurs({ names }: StoredContainer): boolean {
  return names.some((name) => name.startsWith(OBJECT_PREFIX) || INFRA.test(name));
}

function storedIn(
  files: ReadonlyMap<string, string | Error>,
): readonly StoredContainer[] | undefined {
  const lists = [...files].filter(([path]) => /-containers\/[^/]+$/.test(path));
  const folders = new Set(lists.map(([path]) => path.slice(0, path.lastIndexOf("/"))));
  if (folders.size !== 1) return undefined;
  try {
    return lists.flatMap(([, text]) => StoredContainers.parse(JSON.parse(`${text}`)));
  } catch {
    return undefined;
  }
}
