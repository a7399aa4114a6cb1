import { imageName } from "../../../model/index.ts";
import { IMAGE_PREFIX, imageKey } from "../store/own-files.ts";

const REGISTRY = "localhost/stowage/";

/**
 * The name that holds an image in podman: ours, so that a name of the user's never comes to mean
 * another image. Its repository is for people, its tag says which image of Stowage's it is.
 */
export function imageTag(reference: string, digest: string): string {
  const name = imageName(reference, digest);
  const repository = name.slice(0, name.indexOf("@")).replace(/:[^/:]*$/, "");
  const readable = repository.toLowerCase().replaceAll(/[^a-z0-9./-]/g, "-");
  return `${REGISTRY}${readable}:${imageKey(name)}`;
}

/** The key of an image of Stowage's in a name that podman has for it; undefined for names of others. */
export function keyOfTag(name: string): string | undefined {
  if (!name.startsWith(REGISTRY)) return undefined;
  const tag = name.slice(name.lastIndexOf(":") + 1);
  return tag.startsWith(IMAGE_PREFIX) ? tag : undefined;
}
