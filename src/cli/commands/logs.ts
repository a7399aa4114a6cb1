import type { LogOptions } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import type { HostReading } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { type FoundPod, findPods } from "../pods/find-pods.ts";
import { podLines } from "../pods/follow-pod.ts";
import {
  bareLine,
  jsonLine,
  type LineWriter,
  type LogSource,
  labelledLine,
  mergeLogs,
} from "../pods/merge-logs.ts";
import { readPodName } from "../pods/pod-names.ts";
import { PLAN_OPTIONS } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { didYouMean } from "../text/suggest.ts";

/** `stowage logs`. */
export const logsCommand: Command = {
  help: {
    name: "logs",
    summary:
      "Shows the output of the containers of pods: of the newest generation, stdout and stderr together.",
    operands: "POD...",
    minOperands: 1,
    maxOperands: Number.POSITIVE_INFINITY,
    options: {
      follow: { short: "f", description: "Keep showing new lines until Ctrl-C" },
      tail: { short: "n", value: "N", description: "Only the last N lines of each container" },
      since: {
        value: "TIME",
        description: "Only lines since a time ago (10m, 1h30m) or a time (2026-01-31T12:00:00Z)",
      },
      container: { short: "c", value: "NAME", description: "Only this container" },
      host: PLAN_OPTIONS.host,
      json: { description: "Print each line as a JSON object: host, pod, container, line" },
    },
    details: [
      "--follow continues with the generation that replaces the shown one, from its first line. It ends, with a message, when the pod is removed.",
      "A pod that runs on several hosts is shown from all of them. Here -f is --follow; use --file for a manifest.",
      "--since goes by the host's clock, to the second. With both, --tail counts the lines since that time.",
    ],
    examples: [
      { command: "logs web", comment: "all kept output of pod web" },
      { command: "logs -f --tail 10 web db", comment: "follow two pods" },
      { command: "logs --since 10m web", comment: "the last ten minutes" },
      { command: "logs edge-a/web -c app", comment: "one container on one host" },
      { command: "logs -f --json web", comment: "for scripts" },
    ],
  },
  run: logs,
};

async function logs(args: Arguments, context: CommandContext): Promise<ExitCode> {
  refuseManifests(args);
  const options = logOptions(args, context);
  const { manifest } = await loadFleet(args, context);
  const readings: HostReading[] = [];
  try {
    await showLogs(manifest, options, args, context, readings);
    return 0;
  } finally {
    await Promise.allSettled(readings.map((reading) => reading[Symbol.asyncDispose]()));
  }
}

/** Everywhere else -f names the manifest: whoever is used to that names a file in place of a pod. */
function refuseManifests(args: Arguments): void {
  const file = args.operands.find((operand) => /\.(?:json|ya?ml)$/.test(operand));
  if (file === undefined) return;
  throw new StowageError(
    `Cannot show logs of ${JSON.stringify(file)}: that is not a pod, and -f is --follow here; name a manifest with --file ${file}`,
    { code: "invalid_argument" },
  );
}

function logOptions(args: Arguments, { drain }: CommandContext): LogOptions {
  const [tail, since] = [args.count("tail"), args.moment("since")];
  return {
    signal: drain,
    follow: args.flag("follow"),
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { since }),
  };
}

async function showLogs(
  manifest: FleetManifest,
  options: LogOptions,
  args: Arguments,
  context: CommandContext,
  readings: HostReading[],
): Promise<void> {
  const found = await findPods(
    { manifest, args, context, wanted: args.operands.map(readPodName), doing: "show logs of" },
    readings,
  );
  const container = args.text("container");
  if (container !== undefined) checkContainer(container, found);
  const sources = found.map(
    (each): LogSource => ({
      host: each.host,
      pod: each.pod.pod,
      lines: podLines(each, { manifest, container, options, context }),
    }),
  );
  await untilStopped(context.drain, () =>
    mergeLogs(sources, args.flag("json") ? jsonLine : wordsFor(found, container), async (text) => {
      context.stdout.write(text);
      await context.stdout.ready();
    }),
  );
}

function wordsFor(found: readonly FoundPod[], container: string | undefined): LineWriter {
  const streams = found.flatMap(({ host, pod }) =>
    Object.keys(pod.containers)
      .filter((name) => container === undefined || name === container)
      .map((name) => ({ host, pod: pod.pod, name })),
  );
  if (streams.length <= 1) return bareLine;
  const oneHost = new Set(found.map(({ host }) => host)).size === 1;
  const label = (host: string, pod: string, name: string): string =>
    oneHost ? `${pod}/${name}` : `${host}/${pod}/${name}`;
  const widths = streams.map(({ host, pod, name }) => label(host, pod, name).length);
  return labelledLine(
    (source, line) => label(source.host, source.pod, line.container),
    Math.max(...widths),
  );
}

async function untilStopped(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function checkContainer(container: string, found: readonly FoundPod[]): void {
  const names = [...new Set(found.flatMap(({ pod }) => Object.keys(pod.containers)))];
  if (names.includes(container)) return;
  throw new StowageError(
    `Cannot show logs of container "${container}": the pod has ${names.join(", ")}; ${didYouMean(container, names, "name one of these")}`,
    { code: "not_found" },
  );
}
