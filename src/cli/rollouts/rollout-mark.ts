import { StowageError } from "../../errors/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import { pauseWords } from "../../plan/index.ts";
import { type MarkedRollout, type MarkOutcome, markRollout } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";
import { plural } from "../text/quantities.ts";
import { findService } from "./services.ts";

/** `stowage rollout pause` and `stowage rollout resume`. */
export async function rolloutMark(
  args: Arguments,
  context: CommandContext,
  paused: boolean,
): Promise<ExitCode> {
  const { manifest } = await loadFleet(args, context);
  const service = findService(manifest, args.operands[1] ?? "");
  if (paused) checkPolicy(manifest, service);
  const { connector, appliedBy, now, drain, stdout, stderr } = context;
  const made = await markRollout({
    manifest,
    service,
    paused,
    connector,
    by: appliedBy,
    now,
    parallelism: args.count("parallelism", 1),
    signal: drain,
  });
  if (args.flag("json")) stdout.write(`${JSON.stringify(markJson(service, made))}\n`);
  else stdout.write(`${paused ? pausedWords(service, made) : resumedWords(service, made)}\n`);
  for (const { host, problem, notAudited } of made.hosts) {
    if (problem !== undefined)
      stderr.write(`Error: host ${host} could not be marked: ${printable(problem.message)}\n`);
    if (notAudited !== undefined)
      stderr.write(
        `warning: host ${host} has no entry for this in its audit file: ${printable(notAudited)}\n`,
      );
  }
  return made.hosts.some(({ problem }) => problem !== undefined) ? 1 : 0;
}

/** @throws StowageError `failed_precondition` for a service that has no waves to wait between */
function checkPolicy({ hosts }: FleetManifest, service: string): void {
  const specs = Object.values(hosts).flatMap(({ pods }) => Object.values(pods ?? {}));
  if (specs.some((spec) => spec.service === service && spec.rollout !== undefined)) return;
  throw new StowageError(
    `Cannot pause the rollout of service "${service}": it declares none, and its pods change all at once; declare rollout: { maxUnavailable: 1 }, for example, and apply that first`,
    { code: "failed_precondition" },
  );
}

function markJson(service: string, { before, after, mark, hosts }: MarkedRollout) {
  return {
    service,
    paused: after !== undefined,
    changed: (before === undefined) !== (after === undefined),
    ...(mark === undefined ? {} : { revision: mark.revision }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    hosts: hosts.map(({ host, problem, notAudited }) => ({
      host,
      ...(problem === undefined ? {} : { code: problem.code, message: problem.message }),
      ...(notAudited === undefined ? {} : { notAudited }),
    })),
  };
}

function toldOf(hosts: readonly MarkOutcome[]): readonly MarkOutcome[] {
  return hosts.filter(({ problem }) => problem === undefined);
}

function pausedWords(service: string, { before, mark, hosts }: MarkedRollout): string {
  const told = toldOf(hosts).length;
  if (told === 0) return `Nothing was paused: no host of ${service} could be marked.`;
  if (before === undefined)
    return `The rollout of ${service} is paused, by a mark on ${plural(told, "host")}: no further wave begins, and changes that have begun are completed. To continue: stowage rollout resume ${service}.`;
  const again = mark === undefined ? "" : `; ${plural(told, "host")} marked again`;
  return `The rollout of ${service} is already ${printable(pauseWords(before))}${again}.`;
}

function resumedWords(service: string, { before, after, mark, hosts }: MarkedRollout): string {
  const told = toldOf(hosts).length;
  if (told > 0 && after !== undefined)
    return `The rollout of ${service} is still ${printable(pauseWords(after))}.`;
  if (told === 0) return `Nothing was resumed: no host of ${service} could be marked.`;
  if (before !== undefined)
    return `The rollout of ${service} may continue, by a mark on ${plural(told, "host")}: stowage apply makes the remaining changes.`;
  const again = mark === undefined ? "" : `; ${plural(told, "host")} marked again`;
  return `The rollout of ${service} is not paused${again}.`;
}
