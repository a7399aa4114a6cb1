import type { EngineEvent } from "../../engine/index.ts";
import { type Heard, listen } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { PLAN_OPTIONS } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";
import { eventWords } from "../watch/watch-words.ts";

const INTERVAL_MS = 2000;

/** `stowage events`. */
export const eventsCommand: Command = {
  help: {
    name: "events",
    summary: "Shows what happens to the pods of a fleet, as the engines report it, until Ctrl-C.",
    options: {
      host: PLAN_OPTIONS.host,
      interval: {
        value: "TIME",
        description: "Time between two looks at an engine without events (default 2s)",
      },
      json: { description: "Print the events as JSON lines" },
    },
    details: [
      "rkt has no events: it is polled, and differences are shown. What comes and goes between two looks is missed.",
    ],
    examples: [
      { command: "events", comment: "of all hosts" },
      { command: "events --host edge-a --json", comment: "of one host, for scripts" },
    ],
  },
  run: events,
};

async function events(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const { manifest } = await loadFleet(args, context);
  const intervalMs = Math.max(1, args.durationMs("interval") ?? INTERVAL_MS);
  const isJson = args.flag("json");
  const signal = context.drain;
  await Promise.all(
    selectHosts(manifest, args).map(async ([host, spec]) => {
      const request = { host, spec, connector: context.connector, intervalMs: () => intervalMs };
      for await (const heard of listen({ ...request, signal })) {
        if (heard.type !== "event") tell(host, heard, context);
        else if (heard.event.pod?.owner === manifest.id && heard.event.pod.fleet === manifest.name)
          await show(host, heard.event, isJson, context);
      }
    }),
  );
  return 0;
}

function tell(
  host: string,
  heard: Exclude<Heard, { type: "event" }>,
  context: CommandContext,
): void {
  if (heard.type === "deaf") {
    context.stderr.write(
      `warning: host ${host} cannot report events: ${printable(heard.reason)}\n`,
    );
  } else if (heard.by === "interval") {
    context.stderr.write(`host ${host}: its engine has no events; it is polled instead\n`);
  }
}

async function show(
  host: string,
  event: EngineEvent,
  isJson: boolean,
  { stdout, paint }: CommandContext,
): Promise<void> {
  const { at, kind, pod, container, exitCode } = event;
  const code = exitCode === undefined ? {} : { exitCode };
  const { pod: name, generation } = pod ?? {};
  stdout.write(
    isJson
      ? `${JSON.stringify({ at, host, kind, pod: name, generation, container, ...code })}\n`
      : `${paint.dim(at)} ${host} ${printable(eventWords(event))}\n`,
  );
  await stdout.ready();
}
