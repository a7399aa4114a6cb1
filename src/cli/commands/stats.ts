import { setTimeout as sleep } from "node:timers/promises";
import type { FleetManifest, HostSpec } from "../../model/index.ts";
import { readEngines, sampleStats } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { checkPods } from "../pods/check-pods.ts";
import { isMeant, type PodName, readPodName } from "../pods/pod-names.ts";
import { problemsOf, readHosts, unreachable, warnOfHosts } from "../pods/read-hosts.ts";
import { renderStats, type StatsRow, statsJson } from "../pods/render-stats.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { PLAN_OPTIONS } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { compareText } from "../text/compare-text.ts";

/** Time that one sample takes: shorter ones tell little of a CPU. */
const SAMPLE_MS = 1000;
const WATCH_MS = 2000;
/** Begins a terminal's page again. */
const CLEAR = "\u001b[H\u001b[2J";

/** `stowage stats`. */
export const statsCommand: Command = {
  help: {
    name: "stats",
    summary:
      "Shows the resource use of a fleet's running containers: CPU, memory, processes, network and disk.",
    operands: "[POD...]",
    maxOperands: Number.POSITIVE_INFINITY,
    options: {
      watch: { short: "w", description: "Print new numbers every 2 seconds until Ctrl-C" },
      host: PLAN_OPTIONS.host,
      json: { description: "Print each sample as a line of JSON" },
    },
    details: [
      "The numbers come from the cgroup of each container, so they mean the same on every engine. CPU is in percent of one CPU, over one second (two with --watch). Memory excludes the page cache of files. Network and disk are totals since the container started. - (null with --json) means not known: the kernel does not report it, or counts it together with other processes, as with rootless podman on cgroups v1; the reason is below the table.",
    ],
    examples: [
      { command: "stats", comment: "one sample of all pods" },
      { command: "stats --watch edge-a/web", comment: "one pod of one host, continuously" },
    ],
  },
  run: stats,
};

async function stats(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const { manifest } = await loadFleet(args, context);
  const wanted = args.operands.map(readPodName);
  const hosts = selectHosts(manifest, args, wanted);
  const isWatch = args.flag("watch");
  for (;;) {
    try {
      const pause = isWatch ? sleep(WATCH_MS, undefined, { signal: context.drain }) : undefined;
      // where no host answers, there is nothing that takes its time
      const [problems] = await Promise.all([
        showOnce(manifest, { hosts, wanted }, args, context),
        pause,
      ]);
      if (!isWatch) return problems === 0 ? 0 : 1;
    } catch (error) {
      if (isWatch && context.drain.aborted) return 0;
      throw error;
    }
  }
}

/** @returns how many hosts could not be asked */
async function showOnce(
  manifest: FleetManifest,
  {
    hosts,
    wanted,
  }: {
    readonly hosts: readonly (readonly [string, HostSpec])[];
    readonly wanted: readonly PodName[];
  },
  args: Arguments,
  context: CommandContext,
): Promise<number> {
  const signal = context.drain;
  const isWatch = args.flag("watch");
  const intervalMs = isWatch ? WATCH_MS : SAMPLE_MS;
  const found = await readHosts(hosts, context, undefined, async (reading, name, spec) => {
    const engines = await readEngines(reading, { name, spec, manifest, signal });
    return { stats: await sampleStats(reading, engines, manifest, { intervalMs, signal }) };
  });
  const all = found.flatMap((each): readonly StatsRow[] =>
    "stats" in each ? each.stats.map((row) => ({ host: each.host, ...row })).sort(byPod) : [],
  );
  const rows = all.filter(
    (row) => wanted.length === 0 || wanted.some((name) => isMeant(name, row)),
  );
  const problems = problemsOf(found);
  if (problems.length === 0) checkPods(manifest, { doing: "show", wanted, there: all });
  if (args.flag("json")) {
    const json = { containers: rows.map(statsJson), unreachable: unreachable(problems) };
    context.stdout.write(`${JSON.stringify(json)}\n`);
    return problems.length;
  }
  const page = isWatch && context.stdout.isTerminal ? CLEAR : "";
  const table =
    rows.length === 0
      ? `Fleet ${manifest.name} has no running container to show.\n`
      : renderStats(rows, context.paint);
  context.stdout.write(`${page}${table}`);
  warnOfHosts(problems, context, "left out");
  return problems.length;
}

/** As ps lists them; each engine has an order of its own. */
function byPod(a: StatsRow, b: StatsRow): number {
  return (
    compareText(a.pod, b.pod) ||
    a.generation - b.generation ||
    compareText(a.container, b.container)
  );
}
