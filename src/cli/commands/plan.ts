import { resolve } from "node:path";
import { formatDiagnostic, StowageError } from "../../errors/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import { isConverged } from "../../plan/index.ts";
import { type Connector, type FleetObservation, planFleet } from "../../reconcile/index.ts";
import { tellOfRegistries } from "../apply/registry-waits.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { engineEntry } from "../engine-kinds.ts";
import { planJson } from "../plan/plan-json.ts";
import { renderPlan } from "../plan/render-plan.ts";
import { type Supposition, supposedManifest, supposingConnector } from "../plan/suppose-engine.ts";
import { checkPods } from "../pods/check-pods.ts";
import { countPods } from "../pods/count-pods.ts";
import { readPodName } from "../pods/pod-names.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { fleetRequest, PLAN_OPTIONS, planOptions } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";
import { engineKind } from "./engines.ts";

/** `stowage plan`. */
export const planCommand: Command = {
  help: {
    name: "plan",
    summary: "Shows what apply would do, why, and in which steps. Changes nothing.",
    options: {
      ...PLAN_OPTIONS,
      engine: {
        value: "KIND",
        description: "Plan as if the host named by --host had this engine, with its defaults",
      },
      out: { value: "FILE", description: "Save the plan to a file, for stowage apply FILE" },
      json: { description: "Print the plan as JSON" },
    },
    details: [
      "A declared host that cannot be reached is an error; the plan of the other hosts is still shown.",
    ],
    exitCodes: "0 nothing to do; 2 there are changes; 1 an error.",
    examples: [
      { command: "plan", comment: "run the app and plan its fleet" },
      { command: "plan -f fleet.json; echo $?", comment: "0: nothing to do, 2: changes" },
      {
        command: "plan --engine sim --host edge-a",
        comment: "what would change with another engine",
      },
      { command: "plan --host edge-a --out edge-a.plan", comment: "plan one host, to apply later" },
    ],
  },
  run: plan,
};

async function plan(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const declared = await loadFleet(args, context);
  const supposed = await supposedEngine(declared.manifest, args);
  const fleet =
    supposed === undefined
      ? declared
      : { ...declared, manifest: supposedManifest(declared.manifest, supposed) };
  const options = planOptions(args);
  const request = await fleetRequest(fleet, args, context);
  const out = args.text("out");
  const { plan: made, observation } = await planFleet({
    ...request,
    connector: connectorFor(declared.manifest, supposed, context),
    options: { ...options, fingerprints: out !== undefined },
    signal: context.drain,
    onProgress: tellOfRegistries(context),
  });
  checkPods(fleet.manifest, {
    doing: "plan",
    wanted: (options.pods ?? []).map(readPodName),
    there: made.pods,
  });
  const { stdout, stderr, paint } = context;
  const unreachable = unreachableHosts(fleet.manifest, observation);
  const exitCode = unreachable.length > 0 ? 1 : isConverged(made) ? 0 : 2;
  if (out !== undefined) {
    const { manifest, baseDir } = fleet;
    const { writeSavedPlan } = await import("../plan/saved-plan.ts");
    await writeSavedPlan(resolve(context.cwd, out), { manifest, baseDir, options, plan: made });
  }
  if (args.flag("json")) {
    stdout.write(
      `${JSON.stringify({ converged: isConverged(made), exitCode, plan: planJson(made) })}\n`,
    );
    return exitCode;
  }
  for (const warning of fleet.warnings)
    stderr.write(`warning:${printable(formatDiagnostic(warning)).slice(1)}\n`);
  const declaredPods = countPods(fleet.manifest);
  if (supposed !== undefined)
    stdout.write(`As if host ${supposed.host} had engine ${supposed.kind}:\n\n`);
  stdout.write(
    renderPlan(made, { paint, columns: stdout.columns, now: context.now(), declaredPods }),
  );
  if (out !== undefined) stdout.write(`Saved to ${out}; stowage apply ${out} does exactly this.\n`);
  for (const { host, reason } of unreachable) {
    stderr.write(`Error: host ${host} could not be observed: ${printable(reason)}\n`);
  }
  return exitCode;
}

/** @throws StowageError `invalid_argument` when the host is missing, or the plan is to be saved */
async function supposedEngine(
  manifest: FleetManifest,
  args: Arguments,
): Promise<Supposition | undefined> {
  const word = args.text("engine");
  if (word === undefined) return undefined;
  const kind = engineKind(word);
  const refuse = (why: string): never => {
    throw new StowageError(`Cannot use --engine ${kind}: ${why}`, { code: "invalid_argument" });
  };
  if (args.flag("out"))
    refuse("the engine is only assumed; to save a plan, change it in the declaration");
  const [host, ...more] = args.list("host") ?? [];
  if (host === undefined || more.length > 0)
    return refuse("name exactly one host with --host NAME");
  selectHosts(manifest, args);
  return { host, kind, table: await engineEntry(kind).capabilities() };
}

function connectorFor(
  manifest: FleetManifest,
  supposed: Supposition | undefined,
  { connector }: CommandContext,
): Pick<Connector, "read"> {
  const spec = supposed === undefined ? undefined : manifest.hosts[supposed.host];
  if (supposed === undefined || spec === undefined) return connector;
  return supposingConnector(connector, spec, supposed);
}

/** Declared hosts that the plan says nothing of because they were not reached. */
function unreachableHosts(
  manifest: FleetManifest,
  { hosts }: FleetObservation,
): readonly { readonly host: string; readonly reason: string }[] {
  return [...hosts].flatMap(([host, found]) =>
    found.kind === "unreachable" && Object.hasOwn(manifest.hosts, host)
      ? [{ host, reason: found.reason }]
      : [],
  );
}
