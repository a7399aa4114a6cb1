import { StowageError } from "../../errors/index.ts";
import { type DestroyFleetRequest, destroyFleet, type HostVolume } from "../../reconcile/index.ts";
import { requireAnswer } from "../apply/require-answer.ts";
import { runFleet } from "../apply/run-fleet.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import { RUN_OPTIONS } from "../command-line/run-options.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { fleetRequest, PLAN_OPTIONS, planOptions } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { findStrayFleet, isAddress } from "../project/stray-fleet.ts";
import { printable } from "../text/printable.ts";
import { formatBytes, plural } from "../text/quantities.ts";

const {
  host: _host,
  "keep-old": _keepOld,
  "ignore-field": _ignored,
  ...SHARED_OPTIONS
} = PLAN_OPTIONS;

/** `stowage destroy`. */
export const destroyCommand: Command = {
  help: {
    name: "destroy",
    summary:
      "Removes all pods of a fleet, and the fleet's files, from its hosts. Asks first; keeps volumes.",
    options: {
      host: {
        value: "HOST",
        multiple: true,
        description: "Only this host; with --fleet, the address of a host whose manifest is lost",
      },
      ...SHARED_OPTIONS,
      yes: { short: "y", description: "Do not ask for confirmation, except about volumes" },
      volumes: { description: "Also delete the fleet's volumes, with all data in them" },
      "yes-delete-data": { description: "Do not ask for confirmation about volumes either" },
      "lock-timeout": RUN_OPTIONS["lock-timeout"],
      owner: {
        value: "ID",
        description:
          "Without a manifest: owner of the fleet, where several owners have one of that name",
      },
      engine: {
        value: "KIND[:PATH]",
        description: "Without a manifest: engine of the host (default containerd)",
      },
      "state-dir": { value: "DIR", description: "Without a manifest: state directory of the host" },
      "run-dir": { value: "DIR", description: "Without a manifest: run directory of the host" },
      json: RUN_OPTIONS.json,
    },
    examples: [
      { command: "destroy", comment: "everything but the data" },
      { command: "destroy --volumes", comment: "the data too, after a second question" },
      {
        command: "destroy --host local --fleet shop",
        comment: "clean a host whose manifest is lost",
      },
    ],
  },
  changes: true,
  run: destroy,
};

type FleetToDestroy = Omit<
  DestroyFleetRequest,
  "confirm" | "onEvent" | "appliedBy" | "lockTimeoutMs"
>;

async function destroy(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [yes, json, volumes] = [args.flag("yes"), args.flag("json"), args.flag("volumes")];
  const deleteData = args.flag("yes-delete-data");
  if (deleteData && !volumes) {
    throw new StowageError(
      "Cannot use --yes-delete-data: no volumes are to be deleted; add --volumes",
      {
        code: "invalid_argument",
      },
    );
  }
  requireAnswer(context, "destroy", { yes, json });
  if (volumes)
    requireAnswer(context, "delete volumes", { yes: deleteData, json, flag: "--yes-delete-data" });
  const lockTimeoutMs = args.durationMs("lock-timeout") ?? 0;
  const fleet = await whatToDestroy(args, context);
  const question = `Destroy fleet ${fleet.manifest.name}? Type yes:`;
  return await runFleet(
    context,
    { json, yes, question, verb: "destroy", deletingVolumes: volumes },
    (hooks) =>
      destroyFleet({
        ...fleet,
        ...hooks,
        ...(volumes
          ? { confirmVolumes: (found) => confirmVolumes(found, deleteData, json, context) }
          : {}),
        appliedBy: context.appliedBy,
        lockTimeoutMs,
        draining: context.drain,
        signal: context.abort,
      }),
  );
}

async function whatToDestroy(args: Arguments, context: CommandContext): Promise<FleetToDestroy> {
  if (isAddress(args.text("host") ?? "")) {
    const { manifest, others } = await findStrayFleet(args, context);
    const request = await fleetRequest({ manifest, baseDir: context.cwd }, args, context);
    return { ...request, options: { forgetHosts: others } };
  }
  const misplaced = ["owner", "engine", "state-dir", "run-dir"].find((name) => args.flag(name));
  if (misplaced !== undefined) {
    throw new StowageError(
      `Cannot use --${misplaced}: the manifest sets that; it is for a host without a manifest, named with --host ADDRESS`,
      { code: "invalid_argument" },
    );
  }
  const { manifest, baseDir } = await loadFleet(args, context);
  const request = await fleetRequest({ manifest, baseDir }, args, context);
  return { ...request, options: planOptions(args) };
}

async function confirmVolumes(
  volumes: readonly HostVolume[],
  agreed: boolean,
  json: boolean,
  context: CommandContext,
): Promise<boolean> {
  if (json) context.stdout.write(`${JSON.stringify({ type: "volumes", volumes })}\n`);
  else {
    for (const { host, volume, path, sizeBytes } of volumes) {
      const size = sizeBytes === undefined ? "" : ` (${formatBytes(sizeBytes)})`;
      context.stdout.write(`- ${host}/${volume}${size} at ${printable(path)}\n`);
    }
  }
  return (
    agreed ||
    (await context.confirm(
      `Delete ${plural(volumes.length, "volume")} and all data in them, for good? Type yes:`,
    ))
  );
}
