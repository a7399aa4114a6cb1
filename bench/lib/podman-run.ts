import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { StowageError } from "../../src/errors/index.ts";
import { PODMAN_ENV, type PodmanLab } from "./podman-lab.ts";
import { timeCommand } from "./time-command.ts";

const PARALLEL = "8";

/** The same pods made by podman's own command line. */
export interface PodmanRun {
  /** Runs them all; returns the milliseconds that it took. */
  run(): Promise<number>;
  /** Kills and removes them all. */
  remove(): Promise<number>;
}

/**
 * Prepares `podman run` with the very words that Stowage gave podman for a pod that is there:
 * podman keeps them. Only the name is another, and the labels are not Stowage's.
 */
export function openPodmanRun(
  { podman, dir }: PodmanLab,
  count: number,
  signal: AbortSignal,
): PodmanRun {
  const [id = ""] = podman.run("ps", "--quiet", "--no-trunc").split("\n");
  const told = podman.run("inspect", "--format", "{{json .Config.CreateCommand}}", id);
  const words = runWords(JSON.parse(told) as string[]);
  const names = Array.from({ length: count }, (_, at) => `bench-${at}`);
  const file = join(dir, "podman-names");
  writeFileSync(file, names.map((name) => `${name}\0`).join(""));
  const program = podman.config.program;
  const xargs = (...command: readonly string[]) =>
    timeCommand("xargs", ["-0", "-a", file, `-P${PARALLEL}`, ...command], {
      signal,
      env: PODMAN_ENV,
    });
  return {
    run: () => xargs("-I", "NAME", program, ...podman.flags, "run", "--detach", ...words),
    remove: () => xargs("-n1", program, ...podman.flags, "rm", "--force", "--time", "0"),
  };
}

/**
 * The words after `create`, or `run --detach`, for a container named `NAME`, of the command that made one of Stowage's.
 */
export function runWords(command: readonly string[]): readonly string[] {
  const verb = command.findIndex((word) => word === "create" || word === "run");
  const words = command.slice(verb + 1).filter((word) => word !== "--detach");
  const name = words.indexOf("--name") + 1;
  if (verb < 0 || name === 0) {
    throw new StowageError("Cannot measure: podman did not keep how a container was made", {
      code: "internal",
    });
  }
  return words.map((word, at) => {
    if (at === name) return "NAME";
    return words[at - 1] === "--label" ? word.replace(/^io\.stowage\./, "io.benches.") : word;
  });
}
