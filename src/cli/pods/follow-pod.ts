import type { LogLine, LogOptions } from "../../engine/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import type { CommandContext } from "../context.ts";
import { type FoundPod, findAgain } from "./find-pods.ts";

/** Which lines of a pod to show. */
export interface PodLinesRequest {
  readonly manifest: FleetManifest;
  readonly container: string | undefined;
  readonly options: LogOptions;
  readonly context: CommandContext;
}

/**
 * Lines of a pod. Those that are followed end with their generation, as its log goes with it: the one in its place, in
 * whichever engine, is continued from its first line. If there is none, a message says so.
 */
export async function* podLines(
  found: FoundPod,
  { manifest, container, options, context }: PodLinesRequest,
): AsyncGenerator<LogLine, void, undefined> {
  const { tail, since, ...onwards } = options;
  let [now, how] = [found, options];
  for (;;) {
    yield* now.engine.logs({ ...now.pod, host: now.pod.host }, container, how);
    if (options.follow !== true || context.drain.aborted) return;
    const place = `${now.host}/${now.pod.pod}`;
    const next = await findAgain(now, manifest, context.drain);
    if (next === undefined || next.pod.generation === now.pod.generation) {
      context.stderr.write(`${place} was removed, and its log with it\n`);
      return;
    }
    context.stderr.write(
      `${place} was replaced: continuing with its generation ${next.pod.generation}\n`,
    );
    [now, how] = [next, onwards];
  }
}
