import { createHash } from "node:crypto";
import * as z from "zod";
import { StoredConfig } from "../../../image/index.ts";
import type { ListedImage } from "../cli/answers.ts";

const Names = z
  .array(z.string())
  .nullish()
  .transform((names) => names ?? []);
const Sizes = z.record(z.string(), z.int()).default({});

/** An image in the list that containers/storage keeps for podman. */
const StoredImages = z.array(
  z.object({
    id: z.string(),
    digest: z.string().default(""),
    names: Names,
    layer: z.string().default(""),
    "mapped-layers": Names,
    "big-data-sizes": Sizes,
    "big-data-digests": z.record(z.string(), z.string()).default({}),
  }),
);
type StoredImage = z.infer<typeof StoredImages>[number];

const StoredLayers = z.array(
  z.object({
    id: z.string(),
    parent: z.string().default(""),
    "diff-size": z.int().default(0),
  }),
);
type Layers = ReadonlyMap<string, z.infer<typeof StoredLayers>[number]>;

/** Files of a store that list its images; the lock is there before the first of them. */
export function imageListFiles(graphRoot: string): readonly string[] {
  return [
    `${graphRoot}/*-images/images.lock`,
    `${graphRoot}/*-images/images.json`,
    `${graphRoot}/*-layers/layers.json`,
  ];
}

/**
 * What `podman images` would say, by the files of {@link imageListFiles}: podman itself takes as long for it
 * as for all containers, since it looks at each layer.
 *
 * @returns undefined where the files do not tell
 */
export function imagesIn(
  files: ReadonlyMap<string, string | Error>,
): readonly ListedImage[] | undefined {
  const folder = onlyFolder(files, "images.lock");
  if (folder === undefined) return undefined;
  try {
    const images = listIn(StoredImages, files, `${folder}/images.json`);
    const layersFile = `${folder.replace(/-images$/, "-layers")}/layers.json`;
    const layers: Layers = new Map(
      listIn(StoredLayers, files, layersFile).map((layer) => [layer.id, layer]),
    );
    return images.map((image) => listed(image, layers));
  } catch {
    return undefined;
  }
}

/** Files of a store that tell of one image: who has its names, and its config. */
export function imageConfigFiles(graphRoot: string, id: string): readonly string[] {
  const [lock = "", images = ""] = imageListFiles(graphRoot);
  return [lock, images, `${graphRoot}/*-images/${configPath(id)}`];
}

/**
 * The config of an image by the files of {@link imageConfigFiles}; its bytes are what its id says.
 *
 * @param name of the image
 * @returns undefined where the files do not tell, or the name is another image's
 */
export function imageConfigIn(
  files: ReadonlyMap<string, string | Error>,
  { id, name }: { readonly id: string; readonly name: string },
): StoredConfig | undefined {
  const folder = onlyFolder(files, "images.lock");
  const text = files.get(`${folder}/${configPath(id)}`);
  if (folder === undefined || typeof text !== "string") return undefined;
  if (createHash("sha256").update(text).digest("hex") !== id) return undefined;
  try {
    const images = listIn(StoredImages, files, `${folder}/images.json`);
    const holders = images.filter(({ names }) => names.includes(name));
    if (holders.length !== 1 || holders[0]?.id !== id) return undefined;
    return StoredConfig.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A document is named by the base64 of its key where that has other signs than digits and small letters. */
function configPath(id: string): string {
  return `${id}/=${Buffer.from(`sha256:${id}`).toString("base64")}`;
}

function onlyFolder(files: ReadonlyMap<string, string | Error>, name: string): string | undefined {
  const found = [...files.keys()].filter((path) => path.endsWith(`/${name}`));
  return found.length === 1 ? found[0]?.slice(0, -name.length - 1) : undefined;
}

/** A file that is not there lists nothing. */
function listIn<T>(
  schema: z.ZodType<T[]>,
  files: ReadonlyMap<string, string | Error>,
  path: string,
): readonly T[] {
  const text = files.get(path);
  if (text === undefined) return [];
  return schema.parse(JSON.parse(`${text}`));
}

function listed(image: StoredImage, layers: Layers): ListedImage {
  const { id, names } = image;
  const digests = digestsOf(image);
  return {
    Id: id,
    Names: names,
    RepoDigests: names.flatMap((name) =>
      digests.map((digest) => `${repositoryOf(name)}@${digest}`),
    ),
    Digest: digests[0] ?? "",
    Size: sizeOf(image, layers),
  };
}

/** Digests of its manifests: one for each form in which it was imported, the current one first. */
function digestsOf({ digest, "big-data-digests": kept }: StoredImage): readonly string[] {
  const manifests = Object.entries(kept).flatMap(([name, each]) =>
    name.startsWith("manifest") ? [each] : [],
  );
  return [...new Set([digest, ...manifests])].filter((each) => each !== "");
}

function repositoryOf(name: string): string {
  return name.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
}

/** Its layers unpacked, and its documents. */
function sizeOf(image: StoredImage, layers: Layers): number {
  const tops = [image.layer, ...image["mapped-layers"]];
  const seen = new Set<string>();
  for (const top of tops) {
    for (let id = top; id !== "" && !seen.has(id); id = layers.get(id)?.parent ?? "") seen.add(id);
  }
  const unpacked = [...seen].reduce((sum, id) => sum + (layers.get(id)?.["diff-size"] ?? 0), 0);
  return Object.values(image["big-data-sizes"]).reduce((sum, size) => sum + size, unpacked);
}
