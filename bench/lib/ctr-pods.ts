import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { archiveLayout } from "../../scripts/lib/make-image.ts";
import { logWriterUri } from "../../src/engines/containerd/logs/log-writer.ts";
import { logWriterPath } from "../../src/engines/containerd/pods/host-files.ts";
import { StowageError } from "../../src/errors/index.ts";
import { effectiveLogging, hostDirectories } from "../../src/model/index.ts";
import { COMMAND, STOP_SIGNAL } from "./bench-fleet.ts";
import { type ContainerdLab, STOWAGE_NAMESPACE } from "./containerd-lab.ts";
import { type RuntimeSpec, runFlags } from "./runtime-spec.ts";
import { timeCommand } from "./time-command.ts";

const NAMESPACE = "bench";
const PARALLEL = "8";

/** The same pods made by containerd's own command line. */
export interface CtrPods {
  /** Spec of one that Stowage made, and of one that this made. */
  compareSpecs(): { readonly ours: RuntimeSpec; readonly theirs: RuntimeSpec };
  /** Runs them all; returns the milliseconds that it took. */
  run(output: "logged" | "null"): Promise<number>;
  /** Ends and removes them all. */
  remove(): Promise<number>;
}

/**
 * Prepares what `ctr run` needs to make containers like the ones that Stowage has in the lab now.
 *
 * @param networkOf the file of each one's network namespace, where it is to have one that was made for it
 */
export async function openCtrPods(
  lab: ContainerdLab,
  count: number,
  signal: AbortSignal,
  networkOf?: (at: number) => string,
): Promise<CtrPods> {
  const ctr = (...args: string[]) => lab.ctrArgs(NAMESPACE, ...args);
  const archive = join(lab.dir, "image.tar");
  await archiveLayout(lab.image.layout, archive);
  await timeCommand("ctr", ctr("images", "import", archive), { signal });
  const ours = readSpec(lab, STOWAGE_NAMESPACE, firstContainer(lab));
  const flags = runFlags(ours, lab.dir);
  const ids = Array.from({ length: count }, (_, at) => `ctr-${at}`);
  const runs = writeRunArguments(lab, ids, networkOf);
  const names = join(lab.dir, "ctr-ids");
  writeFileSync(names, ids.map((id) => `${id}\0`).join(""));
  const xargs = (file: string, perCommand: number, ...command: string[]) =>
    timeCommand(
      "xargs",
      ["-0", "-a", file, `-P${PARALLEL}`, `-n${perCommand}`, "ctr", ...command],
      {
        signal,
      },
    );
  return {
    compareSpecs: () => ({ ours, theirs: readSpec(lab, NAMESPACE, ids[0] ?? "") }),
    run: (output) =>
      output === "logged"
        ? xargs(runs.logged, runs.perLogged, ...ctr("run", "-d", ...flags))
        : xargs(runs.silent, runs.perSilent, ...ctr("run", "-d", "--null-io", ...flags)),
    remove: async () => {
      const killed = await xargs(names, 1, ...ctr("task", "kill", "-s", STOP_SIGNAL));
      const ended = await xargs(names, 1, ...ctr("task", "rm", "-f"));
      return killed + ended + (await xargs(names, 1, ...ctr("containers", "rm")));
    },
  };
}

/** The words that each `ctr run` has of its own, NUL-separated, as xargs hands them out. */
function writeRunArguments(
  lab: ContainerdLab,
  ids: readonly string[],
  networkOf?: (at: number) => string,
) {
  const { maxBytes = 16 * 1024 * 1024, maxFiles = 2 } = effectiveLogging(undefined);
  const script = logWriterPath(hostDirectories(lab.host));
  const silent = ids.map((id, at) => [
    ...(networkOf === undefined ? [] : ["--with-ns", `network:${networkOf(at)}`]),
    ...[lab.image.reference, id, ...COMMAND],
  ]);
  const logged = ids.map((id, at) => {
    const directory = join(lab.dir, "ctr-logs", id);
    mkdirSync(directory, { recursive: true });
    return [
      "--log-uri",
      logWriterUri({ directory, maxBytes, maxFiles }, script),
      ...(silent[at] ?? []),
    ];
  });
  const write = (name: string, lists: readonly (readonly string[])[]) => {
    const path = join(lab.dir, name);
    writeFileSync(
      path,
      lists
        .flat()
        .map((word) => `${word}\0`)
        .join(""),
    );
    return path;
  };
  return {
    logged: write("ctr-logged", logged),
    perLogged: logged[0]?.length ?? 0,
    silent: write("ctr-silent", silent),
    perSilent: silent[0]?.length ?? 0,
  };
}

/** Id of a container of Stowage's that is there. */
export function firstContainer(lab: ContainerdLab): string {
  const ids = ctrOutput(lab, STOWAGE_NAMESPACE, "containers", "ls", "-q").trim().split("\n");
  return ids[0] ?? "";
}

/** The spec that a container has. */
export function readSpec(lab: ContainerdLab, namespace: string, id: string): RuntimeSpec {
  const info = JSON.parse(ctrOutput(lab, namespace, "containers", "info", id)) as {
    readonly Spec: RuntimeSpec;
  };
  return info.Spec;
}

/** What a `ctr` prints. */
export function ctrOutput(lab: ContainerdLab, namespace: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("ctr", lab.ctrArgs(namespace, ...args), {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status === 0) return stdout;
  throw new StowageError(`Cannot run "ctr ${args.join(" ")}": ${stderr.trim()}`, {
    code: "internal",
  });
}
