import * as z from "zod";
import type { ImageOwnership } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import type { HostSnapshot } from "../../../host/index.ts";
import { type AppliedImage, imageName } from "../../../model/index.ts";
import { callOptions, type PodmanContext } from "../context.ts";
import { imageKey } from "../store/own-files.ts";

const IMAGE_FILE = "image.json";

const KeptImage = z.object({
  reference: z.string(),
  digest: z.string(),
  /** Hexadecimal digits of its config's digest: its id in podman. */
  id: z.string(),
  /** Its manifest as it came in, which podman does not give back. */
  manifest: z.string().optional(),
});

const Claim = z.object({ owner: z.string(), fleet: z.string() });

/** An image that Stowage brought into podman, and who uses it. */
export interface OwnImage extends z.infer<typeof KeptImage> {
  readonly name: string;
  /** `owner/fleet`. */
  readonly fleets: readonly string[];
}

/** Pattern of all files of images. */
export function imageFilePattern({ files }: Pick<PodmanContext, "files">): string {
  return `${files.imagesDir}/*/*`;
}

/** Puts files of images together, by their key; a folder without a readable image file is no image. */
export function readOwnImages(
  files: HostSnapshot["files"],
  imagesDir: string,
): {
  readonly images: ReadonlyMap<string, OwnImage>;
  readonly folders: ReadonlySet<string>;
} {
  const folders = new Map<string, Map<string, string>>();
  for (const [path, text] of files) {
    if (!path.startsWith(`${imagesDir}/`)) continue;
    if (text instanceof Error) throw StowageError.from(text, "Cannot read who uses an image");
    const [key = "", file = ""] = path.slice(imagesDir.length + 1).split("/");
    const folder = folders.get(key) ?? new Map<string, string>();
    folders.set(key, folder.set(file, text));
  }
  const images = new Map<string, OwnImage>();
  for (const [key, folder] of folders) {
    const image = ownImage(key, folder);
    if (image !== undefined) images.set(key, image);
  }
  return { images, folders: new Set(folders.keys()) };
}

function ownImage(key: string, folder: ReadonlyMap<string, string>): OwnImage | undefined {
  const kept = parse(KeptImage, folder.get(IMAGE_FILE) ?? "");
  if (kept === undefined) return undefined;
  const name = imageName(kept.reference, kept.digest);
  if (imageKey(name) !== key) return undefined;
  const claims = [...folder].flatMap(([file, text]) => {
    // what a writer was killed over begins with a dot
    if (file === IMAGE_FILE || file.startsWith(".")) return [];
    return parse(Claim, text) ?? [];
  });
  return { ...kept, name, fleets: claims.map(({ owner, fleet }) => `${owner}/${fleet}`).sort() };
}

function parse<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** One image of Stowage's; undefined when it brought none of this name. */
export async function findOwnImage(
  { host, files }: PodmanContext,
  name: string,
  signal: AbortSignal | undefined,
): Promise<OwnImage | undefined> {
  const snapshot = await host.snapshot(
    { files: [`${files.imageDir(name)}/*`] },
    callOptions(signal),
  );
  return readOwnImages(snapshot.files, files.imagesDir).images.get(imageKey(name));
}

/** Writes down an image and a fleet that uses it, the image first; what is there already stays. */
export async function writeOwnership(
  { host, files }: PodmanContext,
  image: AppliedImage & { readonly id: string; readonly manifest?: string },
  ownership: ImageOwnership,
): Promise<void> {
  const { reference, digest, id, manifest } = image;
  const dir = files.imageDir(imageName(reference, digest));
  const kept = { reference, digest, id, ...(manifest === undefined ? {} : { manifest }) };
  const written = [
    [`${dir}/${IMAGE_FILE}`, kept],
    [`${dir}/${claimFile(ownership)}`, ownership],
  ] as const;
  const { existing } = await host.snapshot({ exist: written.map(([path]) => path) });
  for (const [path, what] of written)
    if (!existing.has(path)) await host.writeFile(path, `${JSON.stringify(what)}\n`);
}

/** Takes a fleet's use of an image back. */
export async function removeOwnership(
  { host, files }: PodmanContext,
  name: string,
  ownership: ImageOwnership,
): Promise<void> {
  await host.removeFile(`${files.imageDir(name)}/${claimFile(ownership)}`);
}

function claimFile({ owner, fleet }: ImageOwnership): string {
  return `${owner}.${fleet}.json`;
}
