import type { RktContext } from "../context.ts";
import { missingImage } from "./image-record.ts";
import { imageRecords } from "./stored-images.ts";

/**
 * Finds out whether a pod could not be made because rkt has an image no more whose files are there, as a
 * removal that was interrupted leaves it. Then the image is noted as not imported, so that it comes again.
 *
 * @param ids of the images that the pod is made of
 * @throws StowageError `not_found` when it is so
 */
export async function forgetMissing(
  { host, layout, cli }: RktContext,
  ids: readonly string[],
): Promise<void> {
  // if that is not known, the error that led here says more
  const images = await cli.listImages().catch(() => undefined);
  if (images === undefined) return;
  const listed = new Set(images.map(({ id }) => id));
  const missing = new Set(ids.filter((id) => !listed.has(id)));
  if (missing.size === 0) return;
  const { files } = await host.snapshot({ files: [`${layout.imagesDir}/*/image.json`] });
  for (const [path, record] of imageRecords(layout, files)) {
    const { aci, ...rest } = record;
    if (aci === undefined || !missing.has(aci)) continue;
    await host.writeFile(path, JSON.stringify(rest));
    throw missingImage(record.name);
  }
}
