import type { FleetManifest, ObservedImage } from "../../model/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { problemsOf, readHosts, unreachable, warnOfHosts } from "../pods/read-hosts.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { compareText } from "../text/compare-text.ts";
import { shortDigests } from "../text/format-value.ts";
import { columns } from "../text/layout.ts";
import { printable } from "../text/printable.ts";
import { formatTransfer } from "../text/quantities.ts";

const HEADER = ["HOST", "ENGINE", "IMAGE", "DIGEST", "SIZE", "IN USE", "FLEETS"];

/** An image in the engine of a host. */
interface ImageRow extends ObservedImage {
  readonly host: string;
  readonly engine: string;
}

/** Lists the images on a fleet's hosts; a host that cannot be asked is named, with exit code 1. */
export async function listImages(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const { manifest } = await loadFleet(args, context);
  const hosts = selectHosts(manifest, args);
  const { drain: signal } = context;
  const found = await readHosts(
    hosts,
    context,
    args.count("parallelism", 1),
    async ({ engine }, host, spec): Promise<{ readonly rows: readonly ImageRow[] }> => {
      const { images } = await engine.observe({ signal });
      return { rows: images.map((image) => ({ host, engine: spec.engine.kind, ...image })) };
    },
  );
  const rows = found
    .flatMap((each) => ("rows" in each ? each.rows : []))
    .filter((row) => args.flag("all") || isOf(manifest, row));
  const problems = problemsOf(found);
  if (args.flag("json")) {
    const json = { images: rows, unreachable: unreachable(problems) };
    context.stdout.write(`${JSON.stringify(json)}\n`);
  } else {
    context.stdout.write(render(rows, manifest, context));
    warnOfHosts(problems, context, "not listed");
  }
  return problems.length === 0 ? 0 : 1;
}

function isOf({ id, name }: FleetManifest, { fleets }: ImageRow): boolean {
  return fleets?.includes(`${id}/${name}`) === true;
}

function render(
  rows: readonly ImageRow[],
  { name }: FleetManifest,
  { paint }: CommandContext,
): string {
  if (rows.length === 0) return `The hosts hold no image of fleet ${name}.\n`;
  const sorted = [...rows].sort(
    (a, b) => compareText(a.host, b.host) || compareText(a.name, b.name),
  );
  const cells = sorted.map((row) => [
    row.host,
    row.engine,
    // the digest has a column of its own
    printable(row.name.replace(/@sha256:[0-9a-f]{64}$/, "")),
    shortDigests(row.digest),
    row.sizeBytes === undefined ? "-" : formatTransfer(row.sizeBytes),
    row.inUse ? "yes" : "no",
    row.fleets === undefined ? "not of Stowage" : row.fleets.map(fleetName).join(", ") || "none",
  ]);
  return `${columns([HEADER.map((word) => paint.dim(word)), ...cells]).join("\n")}\n`;
}

/** `owner/fleet` without the owner. */
function fleetName(ownership: string): string {
  return printable(ownership.slice(ownership.indexOf("/") + 1));
}
