import { CPU_PERIOD_US, type Limits, limitFile } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import type { Host } from "../../../host/index.ts";
import type { Resources } from "../../../model/index.ts";
import type { PodmanCli } from "../cli/podman-cli.ts";
import { podmanError } from "../cli/podman-error.ts";
import type { PodmanContext } from "../context.ts";
import { limitArguments } from "./resource-arguments.ts";

type Field = keyof Resources;

/** What the kernel takes for no limit, by the version of its cgroups. */
const NO_LIMIT: Readonly<Record<Field, { readonly v1: string; readonly v2: string }>> = {
  // first, since the kernel does not let memory alone have more than memory and swap together
  memorySwapBytes: { v1: "-1", v2: "max" },
  memoryBytes: { v1: "-1", v2: "max" },
  memoryReservationBytes: { v1: "-1", v2: "0" },
  cpuMillis: { v1: "-1", v2: `max ${CPU_PERIOD_US}` },
  cpuShares: { v1: "1024", v2: "39" },
  cpuset: { v1: "", v2: "" },
  pidsMax: { v1: "max", v2: "max" },
};

const ALL_CPUS = "/sys/fs/cgroup/cpuset/cpuset.cpus";

/** A running container whose limits change. */
export interface LimitedContainer {
  readonly id: string;
  readonly cgroupPath: string;
  readonly before: Resources;
  readonly after: Resources;
}

/**
 * Takes the cgroup of a container from one set of limits to another. podman sets those that it has a
 * flag for; those that are gone, and the number of processes, which 4.3 has none for, are written where
 * they are in force.
 */
export async function changeLimits(
  { cli, host }: Pick<PodmanContext, "cli" | "host">,
  { id, cgroupPath, before, after }: LimitedContainer,
): Promise<void> {
  const args = limitArguments(after);
  if (args.length > 0) await update(cli, id, args);
  const values = new Map<Field, { readonly v1: string; readonly v2: string }>();
  for (const field of Object.keys(NO_LIMIT) as Field[]) {
    if (before[field] !== undefined && after[field] === undefined)
      values.set(field, await liftedValue(host, field));
  }
  const { pidsMax } = after;
  if (pidsMax !== undefined) values.set("pidsMax", { v1: `${pidsMax}`, v2: `${pidsMax}` });
  await writeLimits(host, id, cgroupPath, values);
}

/** From 5.4 on podman looks at a container's health check again, and refuses the absence of one. */
async function update(cli: PodmanCli, id: string, args: readonly string[]): Promise<void> {
  const call = { doing: `change the limits of container "${id}"` };
  const first = ["update", ...args, id];
  const result = await cli.run(first, call);
  if (result.exitCode === 0) return;
  if (!/healthcheck/.test(result.stderr)) throw podmanError(call.doing, first, result);
  await cli.change(["update", "--no-healthcheck", ...args, id], call);
}

async function liftedValue(
  host: Host,
  field: Field,
): Promise<{ readonly v1: string; readonly v2: string }> {
  if (field !== "cpuset") return NO_LIMIT[field];
  // version 1 knows no empty list
  const { files } = await host.snapshot({ files: [ALL_CPUS] });
  const all = files.get(ALL_CPUS);
  return { v1: typeof all === "string" ? all.trim() : "", v2: "" };
}

/** Writes the values whose file is there: that of the host's version of cgroups. */
const WRITE = [
  "while [ $# -gt 0 ]; do",
  '  if [ -e "$2" ]; then printf "%s\\n" "$1" > "$2" || exit 1; fi',
  "  shift 2",
  "done",
].join("\n");

async function writeLimits(
  host: Host,
  id: string,
  cgroupPath: string,
  values: ReadonlyMap<Field, { readonly v1: string; readonly v2: string }>,
): Promise<void> {
  if (values.size === 0 || cgroupPath === "") return;
  const pairs = [...values].flatMap(([field, { v1, v2 }]) => [
    ...[v1, limitFile(field, "v1", cgroupPath)],
    ...[v2, limitFile(field, "v2", cgroupPath)],
  ]);
  const { exitCode, stderr } = await host.run(["sh", "-c", WRITE, "sh", ...pairs]);
  if (exitCode === 0) return;
  throw new StowageError(
    `Cannot change the limits of container "${id}": ${stderr.trim().split("\n")[0] ?? ""}; declare at least what its processes need`,
    { code: "failed_precondition", context: { container: id } },
  );
}

/** Whether two sets of limits are the same. */
export function sameLimits(one: Limits, other: Limits): boolean {
  return (Object.keys(NO_LIMIT) as Field[]).every((field) => one[field] === other[field]);
}
