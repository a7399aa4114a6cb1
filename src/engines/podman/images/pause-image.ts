import type { EngineRest } from "../../../engine/index.ts";
import { podmanError } from "../cli/podman-error.ts";
import { callOptions, type PodmanContext } from "../context.ts";
import { listContainers } from "../pods/lists.ts";
import { storeUsed } from "../store/store-used.ts";
import { imageExists, listImages } from "./image-list.ts";

/** Begins the name of the image that podman builds for what holds a pod's namespaces; its version follows. */
const PAUSE = "localhost/podman-pause:";

/**
 * Removes the image that podman built for pods of several containers, where no container is made of it any more:
 * podman builds it again for the next pod that needs it.
 *
 * @returns what somebody else's pods use, and so stays
 */
export async function removePauseImages(
  context: PodmanContext,
  signal: AbortSignal | undefined,
): Promise<readonly EngineRest[]> {
  const { cli, host, facts } = context;
  if (!(await storeUsed(host, facts.graphRoot, signal))) return [];
  const images = await listImages(context, signal);
  const names = images.flatMap(({ Id, Names }) =>
    Names.filter((name) => name.startsWith(PAUSE)).map((name) => ({ name, id: Id })),
  );
  if (names.length === 0) return [];
  const users = await listContainers(context, signal);
  const rests: EngineRest[] = [];
  for (const { name, id } of names) {
    if (users.some(({ ImageID }) => ImageID === id)) {
      const why = "podman made it for pods, and pods of somebody else use it";
      rests.push({ what: `image ${name} of podman`, why });
      continue;
    }
    const args = ["image", "rm", name];
    const doing = `remove image "${name}"`;
    const result = await cli.run(args, { doing, ...callOptions(signal) });
    if (await imageExists(context, name, signal)) throw podmanError(doing, args, result);
  }
  return rests;
}
