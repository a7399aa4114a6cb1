import { imageName } from "../../../model/index.ts";
import { IMAGE_PREFIX, imageKey } from "../store/own-files.ts";

const REGISTRY = "localhost/stowage/";

/**
 * The name that holds an image in podman: ours, so that a name of the user's never comes to mean
 * another image. Its repository is for people, its tag says which image of Stowage's it is.
 *
 * @param scope of the files that say who uses it
 */
export function imageTag(scope: string, reference: string, digest: string): string {
  const name = imageName(reference, digest);
  const repository = name.slice(0, name.indexOf("@")).replace(/:[^/:]*$/, "");
  const readable = repository.toLowerCase().replaceAll(/[^a-z0-9./-]/g, "-");
  return `${REGISTRY}${scope}/${readable}:${imageKey(name)}`;
}

/** The key of an image of Stowage's in a name that podman has for it; undefined for names of others. */
export function keyOfTag(scope: string, name: string): string | undefined {
  return name.startsWith(`${REGISTRY}${scope}/`) && isImageTag(name) ? tagOf(name) : undefined;
}

/** Whether a name is Stowage's, be it of another state directory. */
export function isImageTag(name: string): boolean {
  return name.startsWith(REGISTRY) && tagOf(name).startsWith(IMAGE_PREFIX);
}

function tagOf(name: string): string {
  return name.slice(name.lastIndexOf(":") + 1);
}
