import { goneEngine } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { ContainerState } from "../../model/index.ts";
import type { RktContext } from "./context.ts";
import { observePodsOnly } from "./observe-engine.ts";

/** States in which no process is. */
const ENDED: ReadonlySet<ContainerState> = new Set(["missing", "prepared", "exited"]);

/**
 * What it means that rkt cannot be asked. Where its program is not on the host any more, and
 * nothing of Stowage's runs that it started, there is no rkt.
 *
 * @returns the error to throw: `not_found` when it is gone
 */
export async function whyNotAsked(
  context: RktContext,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (!StowageError.is(error) || !StowageError.is(error.cause, "not_found")) return error;
  const { pods } = await observePodsOnly(context, signal);
  const running = pods.flatMap(({ pod, containers }) =>
    Object.entries(containers).flatMap(([name, { state }]) =>
      ENDED.has(state) ? [] : [`${pod}/${name}`],
    ),
  );
  return goneEngine(error, running);
}
