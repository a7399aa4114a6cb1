import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { observeHealth, observePods } from "../pods/observe-pods.ts";
import { podRows } from "../pods/pod-rows.ts";
import { problemsOf, unreachable, warnOfHosts } from "../pods/read-hosts.ts";
import { renderPs } from "../pods/render-ps.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { PLAN_OPTIONS } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";

/** `stowage ps`. */
export const psCommand: Command = {
  help: {
    name: "ps",
    summary:
      "Lists the pods of a fleet as the engines report them, and declared pods that are missing.",
    options: {
      host: PLAN_OPTIONS.host,
      "no-health": { description: "Run no health probes; show only what the engines report" },
      json: { description: "Print the pods as JSON" },
    },
    details: [
      "The health probe of each running container is run once, with its own timeout: healthy, unhealthy with the reason, or starting within its start period. Containers without a probe show -.",
    ],
    examples: [
      { command: "ps", comment: "all pods on all hosts" },
      { command: "ps --host edge-a --json", comment: "the pods of one host, for scripts" },
    ],
  },
  run: ps,
};

async function ps(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const { manifest } = await loadFleet(args, context);
  const observe = args.flag("no-health") ? observePods : observeHealth;
  const found = await observe(
    manifest,
    selectHosts(manifest, args),
    context,
    args.count("parallelism", 1),
  );
  const rows = found.flatMap((each) =>
    "engines" in each ? podRows(manifest, each.host, each.engines, each.health) : [],
  );
  const problems = problemsOf(found);
  const silent = found.flatMap((each) =>
    "engines" in each ? each.problems.map((text) => ({ host: each.host, text })) : [],
  );
  if (args.flag("json")) {
    const json = { pods: rows, unreachable: unreachable(problems) };
    context.stdout.write(`${JSON.stringify(json)}\n`);
  } else {
    if (rows.length > 0)
      context.stdout.write(renderPs(rows, { paint: context.paint, now: context.now() }));
    else if (problems.length === 0)
      context.stdout.write(`Fleet ${manifest.name} declares no pods, and none of its pods run.\n`);
    for (const { host, text } of silent) {
      context.stderr.write(
        `warning: an engine of host ${host} could not be listed: ${printable(text)}\n`,
      );
    }
    warnOfHosts(problems, context, "not listed");
  }
  return problems.length === 0 ? 0 : 1;
}
