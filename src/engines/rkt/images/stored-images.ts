import * as z from "zod";
import type { HostSnapshot } from "../../../host/index.ts";
import type { ListedImage } from "../cli/parse-output.ts";
import type { RktLayout } from "../layout.ts";
import { type ImageRecord, parseImageRecord } from "./image-record.ts";

const StoredManifest = z.object({
  name: z.string(),
  labels: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
});

/** Files of the manifests that rkt keeps of its images, each named by the image's id. */
export function storedManifests({ dir }: RktLayout): string {
  return `${dir}/cas/imageManifest/*/*/*`;
}

/**
 * The images of rkt's store by their files. rkt's own list says the same, but where an import or a
 * removal was interrupted: files come before the entry in its database, and go after it.
 *
 * @returns undefined where a file is none of rkt's: then rkt has to be asked
 */
export function storedImages(
  { dir }: RktLayout,
  files: HostSnapshot["files"],
): readonly ListedImage[] | undefined {
  const folder = `${dir}/cas/imageManifest/`;
  const images: ListedImage[] = [];
  for (const [path, text] of files) {
    if (!path.startsWith(folder)) continue;
    const id = path.slice(path.lastIndexOf("/") + 1);
    const manifest = parseManifest(text);
    if (manifest === undefined || !/^sha512-[a-f0-9]{64}$/.test(id)) return undefined;
    const version = manifest.labels.find(({ name }) => name === "version")?.value;
    images.push({
      id,
      name: version === undefined ? manifest.name : `${manifest.name}:${version}`,
    });
  }
  return images;
}

function parseManifest(text: string | Error): z.infer<typeof StoredManifest> | undefined {
  try {
    return StoredManifest.safeParse(JSON.parse(`${text}`)).data;
  } catch {
    return undefined;
  }
}

/** The records of images, by the path of their file. */
export function imageRecords(
  { imagesDir }: RktLayout,
  files: HostSnapshot["files"],
): ReadonlyMap<string, ImageRecord> {
  return new Map(
    [...files].flatMap(([path, text]): [string, ImageRecord][] => {
      if (!path.startsWith(`${imagesDir}/`) || !path.endsWith("/image.json")) return [];
      const record = parseImageRecord(text);
      return record === undefined ? [] : [[path, record]];
    }),
  );
}
