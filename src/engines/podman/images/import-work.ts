import { basename } from "node:path";
import { podmanError } from "../cli/podman-error.ts";
import type { PodmanContext } from "../context.ts";
import { listImages } from "./image-list.ts";

/** Bytes of a large image on a slow disk take their time. */
export const LOAD_MS = 60 * 60 * 1000;
/** File in an import's folder with the name that podman gives to what it pulls. */
export const PULLED_NAME = "pulled-name";

/**
 * Removes what an import worked with, and the name that podman gave to what it pulled for it: with that the image,
 * where it got no name of ours.
 */
export async function removeWork(context: PodmanContext, work: string): Promise<void> {
  const { host, files } = context;
  const note = `${work}/${PULLED_NAME}`;
  const { files: found } = await host.snapshot({ files: [note] });
  const name = found.get(note);
  if (typeof name === "string") await removePulled(context, name);
  await host.removeDirectory(`${files.loginsDir}/${basename(work)}`);
  await host.removeDirectory(work);
}

async function removePulled(context: PodmanContext, name: string): Promise<void> {
  const { cli } = context;
  const doing = `remove the name "${name}"`;
  const images = (await listImages(context, undefined)).filter(({ Names }) => Names.includes(name));
  const names = new Set(images.flatMap(({ Names }) => Names));
  if (names.size > 1) await cli.change(["image", "untag", name, name], { doing });
  else if (names.size === 1) {
    const args = ["image", "rm", name];
    const result = await cli.run(args, { doing });
    // 2: somebody made a container of it meanwhile, and it is theirs
    if (result.exitCode > 2) throw podmanError(doing, args, result);
  }
}
