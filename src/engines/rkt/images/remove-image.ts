import type { RktContext } from "../context.ts";
import { aciName, parseImageRecord } from "./image-record.ts";

/**
 * Removes an image, or what an import that was interrupted left of one: the ACI first, then blobs that
 * no other image has, the record last. Images are found by name in rkt's store, since the id of one
 * whose import was interrupted is not known.
 */
export async function removeImport(context: RktContext, key: string): Promise<void> {
  const { host, layout, cli } = context;
  const directory = layout.imageDir(key);
  const store = `${layout.dir}/cas/db`;
  const { existing, files } = await host.snapshot({
    exist: [store],
    files: [`${layout.imagesDir}/*/image.json`],
  });
  if (existing.has(store)) {
    const name = `${aciName(layout, key)}:`;
    for (const image of await cli.listImages())
      if (image.name.startsWith(name)) await cli.removeImage(image.id);
  }
  await host.removeFile(layout.aciFile(key));
  const own = parseImageRecord(files.get(`${directory}/image.json`));
  const others = new Set<string>();
  for (const [path, text] of files) {
    const record = path === `${directory}/image.json` ? undefined : parseImageRecord(text);
    for (const { digest } of blobsOf(record)) others.add(digest);
  }
  for (const { digest } of blobsOf(own))
    if (!others.has(digest)) await host.removeFile(layout.blobFile(digest));
  await host.removeDirectory(directory);
}

function blobsOf(record: ReturnType<typeof parseImageRecord>): readonly { digest: string }[] {
  return record === undefined ? [] : [record.manifest, record.config, ...record.layers];
}
