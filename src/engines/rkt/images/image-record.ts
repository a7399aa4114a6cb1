import * as z from "zod";
import { StowageError } from "../../../errors/index.ts";
import { type AppliedImage, Digest, imageName } from "../../../model/index.ts";
import { callOptions, type RktContext } from "../context.ts";
import { imageKey, type RktLayout } from "../layout.ts";

const Blob = z.object({ mediaType: z.string(), digest: z.string(), size: z.number() });

/** What was imported, and what it became in rkt. */
export const ImageRecord = z.object({
  version: z.literal(1),
  /** Name of the image in every engine. */
  name: z.string(),
  reference: z.string(),
  manifest: Blob.extend({ digest: Digest }),
  config: Blob.extend({ digest: Digest }),
  layers: z.array(Blob),
  diffIds: z.array(z.string()),
  defaults: z.object({
    env: z.array(z.string()).optional(),
    entrypoint: z.array(z.string()).optional(),
    cmd: z.array(z.string()).optional(),
    workingDir: z.string().optional(),
    user: z.string().optional(),
    stopSignal: z.string().optional(),
  }),
  /** Id in rkt's store; absent while the import is on its way. */
  aci: z.string().optional(),
  /** The image's own /etc/passwd and /etc/group. */
  accounts: z.object({ passwd: z.string(), group: z.string() }).optional(),
});
/** See the schema of the same name. */
export type ImageRecord = z.infer<typeof ImageRecord>;

/** One that was imported to its end. */
export type UsableImage = ImageRecord & { readonly aci: string };

/** Beginning of the file of each fleet that uses an image. */
export const FLEET_PREFIX = "fleet-";

/** Beginning of the names of our ACIs in rkt's store. */
export const ACI_PREFIX = "stowage/";

/** Name of an image's ACI: each state directory has its own, since rkt removes one that is in use. */
export function aciName({ scope }: RktLayout, key: string): string {
  return `${ACI_PREFIX}${scope}/${key}`;
}

/** Reads a record's text; undefined when it is none. */
export function parseImageRecord(text: string | Error | undefined): ImageRecord | undefined {
  if (typeof text !== "string") return undefined;
  try {
    return ImageRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The record of an image; undefined when it was never imported, or not to its end. */
export async function findImage(
  { host, layout }: RktContext,
  reference: string,
  digest: string,
  signal?: AbortSignal,
): Promise<UsableImage | undefined> {
  const file = `${layout.imageDir(imageKey(imageName(reference, digest)))}/image.json`;
  const { files } = await host.snapshot({ files: [file] }, callOptions(signal));
  const record = parseImageRecord(files.get(file));
  return record?.aci === undefined ? undefined : { ...record, aci: record.aci };
}

/**
 * The record of an image that is to be used.
 *
 * @throws StowageError `not_found` when it was never imported, or not to its end
 */
export async function readImage(
  context: RktContext,
  { reference, digest }: AppliedImage,
  signal: AbortSignal | undefined,
): Promise<UsableImage> {
  const record = await findImage(context, reference, digest, signal);
  if (record === undefined) throw missingImage(imageName(reference, digest));
  return record;
}

/** The error of an image that is not there. */
export function missingImage(name: string): StowageError {
  return new StowageError(`Cannot find image "${name}" in rkt: it is not there; import it again`, {
    code: "not_found",
    context: { image: name },
  });
}
