import { relative } from "node:path";
import { StowageError } from "../../errors/index.ts";
import { openRegistries } from "../../image/registry/index.ts";
import {
  type FleetLock,
  type HostReading,
  lockImages,
  observeFleet,
  readFleetLock,
  writeFleetLock,
} from "../../reconcile/index.ts";
import { tellOfRegistries } from "../apply/registry-waits.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { HOSTS_DIRECTORY } from "../project/fleet-request.ts";
import { type LoadedFleet, loadFleet } from "../project/load-fleet.ts";
import { shortDigests } from "../text/format-value.ts";
import { columns } from "../text/layout.ts";
import { plural } from "../text/quantities.ts";

/** `stowage images` and `stowage images lock`. */
export const imagesCommand: Command = {
  help: {
    name: "images",
    summary:
      "Lists the images that the fleet has on its hosts. images lock pins the current digest of every reference in fleet.lock.json, for you to commit.",
    operands: "[lock]",
    maxOperands: 1,
    options: {
      host: { value: "HOST", multiple: true, description: "List only this host" },
      all: { description: "List every image in the engines, whoever brought it" },
      json: { description: "Print the images, or the lock, as JSON" },
    },
    details: [
      "Once locked, plans use those digests, wherever the tags point. Lock again to update them.",
    ],
    examples: [
      { command: "images", comment: "what is on the hosts" },
      { command: "images --all --json", comment: "including the images of others, for scripts" },
      { command: "images lock", comment: "write fleet.lock.json beside cdktf.json" },
      { command: "images lock -f fleet.json", comment: "write it beside the manifest" },
    ],
  },
  run: images,
};

async function images(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [verb] = args.operands;
  if (verb === undefined)
    return await (await import("../images/list-images.ts")).listImages(args, context);
  if (verb !== "lock") {
    throw new StowageError(
      `Cannot run stowage images ${verb}: it lists or locks; write stowage images, or stowage images lock`,
      { code: "invalid_argument" },
    );
  }
  const other = ["host", "all"].find((name) => args.flag(name));
  if (other !== undefined) {
    throw new StowageError(
      `Cannot lock with --${other}: the lock is one for the whole fleet; leave --${other} out`,
      { code: "invalid_argument" },
    );
  }
  const fleet = await loadFleet(args, context);
  const lock = await currentLock(fleet, context, args.count("parallelism", 1));
  const changed = await writeFleetLock(fleet.lockFile, lock);
  if (args.flag("json"))
    context.stdout.write(`${JSON.stringify({ file: fleet.lockFile, changed, lock })}\n`);
  else context.stdout.write(summary(lock, relative(context.cwd, fleet.lockFile), changed));
  return 0;
}

async function currentLock(
  { manifest, baseDir: manifestDir, lockFile }: LoadedFleet,
  context: CommandContext,
  parallelism: number | undefined,
): Promise<FleetLock> {
  const { connector, env, drain: signal } = context;
  const existing = await readFleetLock(lockFile);
  const readings: HostReading[] = [];
  try {
    const { hosts } = await observeFleet({
      manifest,
      options: {},
      reach: async (name, spec) => {
        const reading = await connector.read(name, spec, signal);
        readings.push(reading);
        return reading;
      },
      parallelism,
      signal,
    });
    return await lockImages({
      manifest,
      manifestDir,
      hosts,
      existing,
      registries: openRegistries({
        env,
        declared: manifest.registries,
        hostsDirectory: HOSTS_DIRECTORY,
        readsRegistriesConf: true,
      }),
      signal,
      onProgress: tellOfRegistries(context),
    });
  } finally {
    await Promise.allSettled(readings.map((reading) => reading[Symbol.asyncDispose]()));
  }
}

function summary({ images: locked }: FleetLock, file: string, changed: boolean): string {
  const rows = Object.entries(locked).flatMap(([reference, platforms]) =>
    Object.entries(platforms).map(([platform, { digest }]) => [
      `  ${reference}`,
      platform,
      shortDigests(digest),
    ]),
  );
  const count = plural(rows.length, "image");
  const title = changed ? `wrote ${file}: ${count}` : `${file} is up to date: ${count}`;
  return `${[title, ...columns(rows)].join("\n")}\n`;
}
