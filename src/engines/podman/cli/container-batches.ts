import { Batch } from "../../../internal/index.ts";
import { InspectAnswer, type InspectedContainer } from "./answers.ts";
import { parseAnswer } from "./parse-answer.ts";
import type { PodmanCli } from "./podman-cli.ts";
import { commandName, nothingDone, podmanError } from "./podman-error.ts";

/** What podman says of one object that it does not have, while it tells of the others. */
const MISSING = /no such (?:object|container)|no container with/i;

/** podman handles several containers of one command one after the other. */
const CHANGES = { lanes: 4, most: 3, letsGo: false };

/** What podman says, and tells of no other, where the removal of a container was interrupted. */
const HALF_REMOVED = /getting container from store/i;

/** Containers in all their detail; those that are not there, or not any more to their half, are left out. */
export function inspecting(cli: PodmanCli): Batch<readonly InspectedContainer[]> {
  const doing = "inspect containers";
  const inspect = async (ids: readonly string[]): Promise<readonly InspectedContainer[]> => {
    const args = ["container", "inspect", ...ids];
    const result = await cli.run(args, { doing });
    const { exitCode, stdout, stderr } = result;
    if (exitCode !== 0 && HALF_REMOVED.test(stderr)) {
      if (ids.length === 1) return [];
      const each: (readonly InspectedContainer[])[] = [];
      for (const id of ids) each.push(await inspect([id]));
      return each.flat();
    }
    if (exitCode !== 0 && !MISSING.test(stderr)) throw podmanError(doing, args, result);
    const found = parseAnswer(stdout, InspectAnswer, { doing, from: `"${commandName(args)}"` });
    const known = new Set(found.flatMap(({ Id, Name }) => [Id, Name]));
    // what it neither tells of nor says to be missing is there, for all that is known
    if (ids.some((id) => !known.has(id) && (exitCode === 0 || !stderr.includes(id))))
      throw nothingDone(doing, args);
    return found;
  };
  return new Batch(inspect, { lanes: 1, most: Number.POSITIVE_INFINITY, letsGo: true });
}

/** Makes the namespaces and cgroups of containers, and processes in them that wait. */
export function initializing(cli: PodmanCli): Batch<string> {
  return new Batch(
    async (ids) => await cli.change(["init", ...ids], { doing: `prepare ${named(ids)}` }),
    CHANGES,
  );
}

/** Runs the processes of containers. */
export function starting(cli: PodmanCli): Batch<string> {
  return new Batch(
    async (ids) => await cli.change(["start", ...ids], { doing: `start ${named(ids)}` }),
    CHANGES,
  );
}

function named(ids: readonly string[]): string {
  return ids.map((id) => `container "${id}"`).join(", ");
}
