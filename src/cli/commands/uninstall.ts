import { StowageError } from "../../errors/index.ts";
import { openRegistries } from "../../image/registry/index.ts";
import {
  type HostSurvey,
  type UninstallReport,
  type UninstallRequest,
  uninstallHost,
} from "../../reconcile/index.ts";
import { JsonProgress, PeopleProgress } from "../apply/progress.ts";
import { renderSurvey, renderUninstall } from "../apply/render-uninstall.ts";
import { requireAnswer } from "../apply/require-answer.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import { RUN_OPTIONS } from "../command-line/run-options.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { planJson } from "../plan/plan-json.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { HOSTS_DIRECTORY } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { isAddress, strayHost } from "../project/stray-fleet.ts";

/** `stowage uninstall`. */
export const uninstallCommand: Command = {
  help: {
    name: "uninstall",
    summary:
      "Removes everything that Stowage made on one host, and lists what it leaves and why. Asks first; keeps volumes.",
    options: {
      host: {
        value: "HOST",
        description: "Name of the host, or its address where the manifest is lost",
      },
      "all-fleets": { description: "Also remove fleets on it that are not the manifest's" },
      volumes: { description: "Also delete volumes, with all data in them" },
      yes: { short: "y", description: "Do not ask for confirmation, except about volumes" },
      "yes-delete-data": { description: "Do not ask for confirmation about volumes either" },
      "lock-timeout": RUN_OPTIONS["lock-timeout"],
      engine: {
        value: "KIND[:PATH]",
        description: "With an address: engine of the host (default containerd)",
      },
      "state-dir": { value: "DIR", description: "With an address: state directory of the host" },
      "run-dir": { value: "DIR", description: "With an address: run directory of the host" },
      json: {
        description: "Print what would be removed, progress and report as JSON lines; needs --yes",
      },
    },
    details: [
      "It removes the pods in all of the host's engines, images that Stowage brought, podman's own pause image where no pod needs it any more, networks and firewall rules, systemd units, records, logs, the audit file and the lock. The engines themselves stay.",
      "A host that is still declared gets everything back with the next apply: take it out of the declaration first.",
      "If it is killed, run it again. It exits with 1 when something of Stowage's is left.",
    ],
    examples: [
      { command: "uninstall --host edge-a", comment: "everything but the data" },
      {
        command: "uninstall --host edge-a --volumes",
        comment: "the data too, after a second question",
      },
      {
        command: "uninstall --host ssh://ops@10.0.0.7 --engine podman --all-fleets",
        comment: "a host whose manifest is lost",
      },
    ],
  },
  changes: true,
  run: uninstall,
};

type WhatToUninstall = Pick<UninstallRequest, "name" | "spec" | "own" | "manifestDir"> & {
  /** Fleet that still declares the host. */
  readonly declaredBy?: string;
};

async function uninstall(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [yes, json, volumes] = [args.flag("yes"), args.flag("json"), args.flag("volumes")];
  const deleteData = args.flag("yes-delete-data");
  if (deleteData && !volumes) {
    throw new StowageError(
      "Cannot use --yes-delete-data: no volumes are to be deleted; add --volumes",
      { code: "invalid_argument" },
    );
  }
  requireAnswer(context, "uninstall", { yes, json, look: "stowage ps" });
  if (volumes)
    requireAnswer(context, "delete volumes", { yes: deleteData, json, flag: "--yes-delete-data" });
  const lockTimeoutMs = args.durationMs("lock-timeout") ?? 0;
  const { declaredBy, ...what } = await whatToUninstall(args, context);
  const { stdout, paint, env } = context;
  const live = stdout.isTerminal && env["TERM"] !== "dumb";
  const progress = json ? new JsonProgress(stdout) : new PeopleProgress(stdout, paint, live);
  const confirm = async (survey: HostSurvey): Promise<boolean> => {
    show(survey, declaredBy, volumes, json, context);
    checkFleets(survey, args.flag("all-fleets"));
    if (!yes && !(await context.confirm(`Remove all of this from host ${survey.name}? Type yes:`)))
      return false;
    const data = "Delete its volumes and all data in them, for good? Type yes:";
    return !volumes || deleteData || (await context.confirm(data));
  };
  const report = await uninstallHost({
    ...what,
    volumes,
    connector: context.connector,
    environment: env,
    registries: openRegistries({ env, hostsDirectory: HOSTS_DIRECTORY, readsRegistriesConf: true }),
    confirm,
    appliedBy: context.appliedBy,
    lockTimeoutMs,
    onEvent: (event) => progress.show(event),
    draining: context.drain,
    signal: context.abort,
  });
  progress.end();
  tell(report, json, context);
  return report.status === "done" ? 0 : 1;
}

async function whatToUninstall(args: Arguments, context: CommandContext): Promise<WhatToUninstall> {
  const host = args.text("host");
  if (host === undefined) {
    throw new StowageError("Cannot uninstall: no host is named; add --host HOST", {
      code: "invalid_argument",
    });
  }
  if (isAddress(host)) return { name: host, spec: strayHost(host, args), manifestDir: context.cwd };
  const misplaced = ["engine", "state-dir", "run-dir"].find((name) => args.flag(name));
  if (misplaced !== undefined) {
    throw new StowageError(
      `Cannot use --${misplaced}: the manifest sets that; it is for a host that is named by its address`,
      { code: "invalid_argument" },
    );
  }
  const { manifest, baseDir } = await loadFleet(args, context);
  const [[name, spec] = ["", undefined]] = selectHosts(manifest, args);
  if (spec === undefined)
    throw new StowageError(`Cannot find host "${host}"`, { code: "internal" });
  return {
    name,
    spec,
    own: { owner: manifest.id, fleet: manifest.name },
    manifestDir: baseDir,
    declaredBy: manifest.name,
  };
}

/** Fleets of others end only when that was said. */
function checkFleets({ name, own, fleets }: HostSurvey, all: boolean): void {
  const others = fleets.filter(({ owner, fleet }) => owner !== own?.owner || fleet !== own?.fleet);
  if (all || others.length === 0) return;
  const words = others.map(({ owner, fleet }) => `${fleet} (owner ${owner})`).join(", ");
  const whose = own === undefined ? "fleets" : "other fleets";
  throw new StowageError(
    `Cannot uninstall from host "${name}": it holds ${whose}: ${words}; remove them too with --all-fleets, or remove this fleet alone with stowage destroy --host`,
    { code: "failed_precondition" },
  );
}

function show(
  survey: HostSurvey,
  declaredBy: string | undefined,
  volumes: boolean,
  json: boolean,
  { stdout, paint, now }: CommandContext,
): void {
  const { name, plans, files, leaves } = survey;
  if (json) {
    const line = { type: "uninstall", host: name, declaredBy, files, leaves };
    for (const plan of plans)
      stdout.write(`${JSON.stringify({ type: "plan", plan: planJson(plan) })}\n`);
    stdout.write(`${JSON.stringify(line)}\n`);
    return;
  }
  const { columns } = stdout;
  stdout.write(renderSurvey(survey, { paint, columns, now: now(), declaredBy, volumes }));
}

function tell(report: UninstallReport, json: boolean, { stdout, paint }: CommandContext): void {
  const { status, reports, removed, leaves, problems, survey } = report;
  if (!json) {
    stdout.write(renderUninstall(report, { paint, columns: stdout.columns }));
    return;
  }
  const outcomes = reports.flatMap((each) => each.outcomes);
  const deletedVolumes = reports.flatMap((each) => each.deletedVolumes);
  const line = { host: survey.name, status, outcomes, deletedVolumes, removed, leaves, problems };
  stdout.write(`${JSON.stringify({ type: "report", ...line })}\n`);
}
