import type { PodInstance } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import type { InspectedContainer } from "../cli/answers.ts";
import { describePod, type PodmanContext } from "../context.ts";
import { containerName } from "./container-plan.ts";
import { type Life, readLives } from "./life.ts";
import { inspectContainers } from "./lists.ts";

/** A container with what the kernel says of it. */
export interface Seen {
  readonly name: string;
  readonly found: InspectedContainer;
  readonly life: Life;
}

/** The containers of a whole generation. @throws StowageError `not_found` when one is not there */
export async function seeContainers(
  context: PodmanContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<readonly Seen[]> {
  const names = Object.keys(pod.spec.containers).sort();
  const ids = names.map((name) => containerName(pod.identity, name, pod.spec.containers));
  const found = await inspectContainers(context, ids, signal);
  const lives = await readLives(context.host, found, signal);
  return names.map((name, at) => {
    const each = found.find(({ Name }) => Name === ids[at]);
    const life = each === undefined ? undefined : lives.get(each.Id);
    if (each === undefined || life === undefined) throw notThere(pod, name);
    return { name, found: each, life };
  });
}

/** The error for a generation with a missing container. */
export function notThere({ identity }: PodInstance, container: string): StowageError {
  return new StowageError(
    `Cannot find ${describePod(identity)}: its container "${container}" is not there, or incomplete; prepare it`,
    { code: "not_found", context: { pod: identity.pod, container } },
  );
}
