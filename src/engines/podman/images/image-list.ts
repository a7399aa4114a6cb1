import { StowageError } from "../../../errors/index.ts";
import { ImagesAnswer, type ListedImage } from "../cli/answers.ts";
import { podmanError } from "../cli/podman-error.ts";
import type { PodmanContext } from "../context.ts";

/** How often the images are listed while others go. */
const LIST_TRIES = 5;

/** Every image of the store; an image of several names once or once a name, by the version. */
export async function listImages(
  { cli }: PodmanContext,
  signal: AbortSignal | undefined,
): Promise<readonly ListedImage[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await cli.json(["images", "--no-trunc", "--format", "json"], ImagesAnswer, {
        doing: "list images",
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      // podman looks at each once more, and fails where one was removed meanwhile
      if (!StowageError.is(error, "not_found") || tries === LIST_TRIES) throw error;
    }
  }
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
