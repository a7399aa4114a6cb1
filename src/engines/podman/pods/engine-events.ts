import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { type EngineEvent, type EventKind, readLabels } from "../../../engine/index.ts";
import { callOptions, type PodmanContext } from "../context.ts";
import { storeUsed } from "../store/store-used.ts";

/** What podman's words mean; `cleanup`, `init` and such are its own affair. */
const KINDS: Readonly<Record<string, EventKind>> = {
  create: "made",
  start: "started",
  died: "ended",
  pause: "paused",
  unpause: "resumed",
  oom: "out-of-memory",
  remove: "removed",
};

/** A line of `podman events --format json`: the time is called differently from 5.0 on. */
const EventLine = z.object({
  Status: z.string(),
  Time: z.string().optional(),
  time: z.number().optional(),
  ContainerExitCode: z.number().optional(),
  Attributes: z
    .record(z.string(), z.string())
    .nullish()
    .transform((labels) => labels ?? {}),
});

/** How often it is looked whether podman has been used for the first time; asking it would use it. */
const UNUSED_MS = 1000;

/** What happens to containers of Stowage's, from now on. */
export async function* engineEvents(
  { cli, host, facts }: PodmanContext,
  signal: AbortSignal | undefined,
): AsyncGenerator<EngineEvent, void, undefined> {
  const since = new Date().toISOString();
  // everything from now on is reported, even what happens before podman begins to read
  yield { kind: "listening", at: since };
  while (!(await storeUsed(host, facts.graphRoot, signal))) {
    await delay(UNUSED_MS, undefined, callOptions(signal));
  }
  const command = cli.command([
    ...["events", "--format", "json", "--filter", "type=container"],
    ...["--since", since],
  ]);
  for await (const line of host.runLines(command, { env: cli.env, ...callOptions(signal) })) {
    const event = toEvent(line);
    if (event !== undefined) yield event;
  }
}

function toEvent(line: string): EngineEvent | undefined {
  const found = EventLine.safeParse(parse(line)).data;
  const kind = found === undefined ? undefined : KINDS[found.Status];
  if (found === undefined || kind === undefined) return undefined;
  const labels = readLabels(found.Attributes);
  if (labels === undefined) return undefined;
  const { container, ...pod } = labels;
  const code = kind === "ended" ? found.ContainerExitCode : undefined;
  return {
    kind,
    at: timeOf(found),
    pod,
    container,
    ...(code === undefined ? {} : { exitCode: code }),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function timeOf({ Time, time }: z.infer<typeof EventLine>): string {
  const at = new Date(Time ?? (time ?? Number.NaN) * 1000);
  return (Number.isNaN(at.getTime()) ? new Date() : at).toISOString();
}
