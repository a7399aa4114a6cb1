import { ImagesAnswer, type ListedImage } from "../cli/answers.ts";
import { listAgain } from "../cli/list-again.ts";
import { podmanError } from "../cli/podman-error.ts";
import type { PodmanContext } from "../context.ts";

/** Every image of the store; an image of several names once or once a name, by the version. */
export async function listImages(
  { cli }: PodmanContext,
  signal: AbortSignal | undefined,
): Promise<readonly ListedImage[]> {
  const args = ["images", "--no-trunc", "--format", "json"];
  const call = { doing: "list images", ...(signal === undefined ? {} : { signal }) };
  return await listAgain(() => cli.json(args, ImagesAnswer, call));
}

/** Whether the store has an image of this name. */
export async function imageExists(
  { cli }: PodmanContext,
  name: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const doing = `look for image "${name}"`;
  const args = ["image", "exists", name];
  const result = await cli.run(args, { doing, ...(signal === undefined ? {} : { signal }) });
  if (result.exitCode > 1) throw podmanError(doing, args, result);
  return result.exitCode === 0;
}
