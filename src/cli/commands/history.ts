import { StowageError } from "../../errors/index.ts";
import { readAudit, readPodRecords } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { isMeant, readPodName } from "../pods/pod-names.ts";
import { problemsOf, readHosts, unreachable, warnOfHosts } from "../pods/read-hosts.ts";
import {
  type AuditRow,
  auditRows,
  type HistoryRow,
  historyRows,
  renderAudit,
  renderHistory,
} from "../pods/render-history.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { PLAN_OPTIONS } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { didYouMean } from "../text/suggest.ts";

/** `stowage history`. */
export const historyCommand: Command = {
  help: {
    name: "history",
    summary:
      "Lists what was applied to each pod, from the records on its host: the current one and up to ten earlier ones.",
    operands: "[POD]",
    maxOperands: 1,
    options: {
      host: PLAN_OPTIONS.host,
      audit: {
        description: "List the commands that changed the hosts instead, from their audit files",
      },
      json: { description: "Print the records, or the runs, as JSON" },
    },
    details: [
      "Newest first. Column N is the number that stowage rollback --to takes. A change that failed and was rolled back has no record; --audit lists it.",
      "With --audit, a run without a result was killed or is still running. Changes are named as in plans; finish means that the run completed a change which an interrupted run had begun.",
    ],
    examples: [
      { command: "history web", comment: "what ran as pod web, on all its hosts" },
      { command: "history edge-a/web", comment: "on one host" },
      { command: "history --audit --host edge-a", comment: "who did what on a host, and when" },
    ],
  },
  run: history,
};

async function history(args: Arguments, context: CommandContext): Promise<ExitCode> {
  return args.flag("audit") ? await listRuns(args, context) : await listRecords(args, context);
}

async function listRecords(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const { manifest } = await loadFleet(args, context);
  const [pod] = args.operands;
  const names = pod === undefined ? [] : [readPodName(pod)];
  const found = await readHosts(
    selectHosts(manifest, args, names),
    context,
    args.count("parallelism", 1),
    async ({ host }, name, spec): Promise<{ readonly rows: readonly HistoryRow[] }> => {
      const records = await readPodRecords(host, manifest, spec, context.drain);
      return { rows: historyRows(name, records) };
    },
  );
  const rows = found.flatMap((each) => ("rows" in each ? each.rows : []));
  const problems = problemsOf(found);
  const wanted = rows.filter((row) => names.every((name) => isMeant(name, row)));
  if (wanted.length === 0 && pod !== undefined && problems.length === 0) {
    const known = [...new Set(rows.map((row) => row.pod))];
    const has = known.length === 0 ? "none" : known.join(", ");
    throw new StowageError(
      `Cannot find pod "${pod}" in the records of fleet "${manifest.name}": there are records of ${has}; ${didYouMean(readPodName(pod).pod, known, "apply first, or name another one")}`,
      { code: "not_found" },
    );
  }
  if (args.flag("json"))
    context.stdout.write(
      `${JSON.stringify({ records: wanted, unreachable: unreachable(problems) })}\n`,
    );
  else {
    const { paint } = context;
    if (wanted.length > 0) context.stdout.write(renderHistory(wanted, { paint }));
    else if (problems.length === 0)
      context.stdout.write(`The hosts keep no record of fleet ${manifest.name}.\n`);
    warnOfHosts(problems, context, "not listed");
  }
  return problems.length === 0 ? 0 : 1;
}

async function listRuns(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const { manifest } = await loadFleet(args, context);
  const [pod] = args.operands;
  if (pod !== undefined) {
    throw new StowageError(
      `Cannot list the runs of pod "${pod}" alone: a run is of a whole host; leave the pod out, or --audit`,
      { code: "invalid_argument" },
    );
  }
  const found = await readHosts(
    selectHosts(manifest, args),
    context,
    args.count("parallelism", 1),
    async ({ host }, name, spec): Promise<{ readonly rows: readonly AuditRow[] }> => {
      const lines = await readAudit(host, spec, context.drain);
      return { rows: auditRows(name, lines) };
    },
  );
  const rows = found.flatMap((each) => ("rows" in each ? each.rows : []));
  const problems = problemsOf(found);
  if (args.flag("json"))
    context.stdout.write(`${JSON.stringify({ runs: rows, unreachable: unreachable(problems) })}\n`);
  else {
    const { paint } = context;
    if (rows.length > 0) context.stdout.write(renderAudit(rows, { paint }));
    else if (problems.length === 0) context.stdout.write("Nothing was run on the hosts yet.\n");
    warnOfHosts(problems, context, "not listed");
  }
  return problems.length === 0 ? 0 : 1;
}
