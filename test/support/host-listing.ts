import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ContainerdFleet } from "./containerd-fleet.ts";

const LISTS = [
  ["containers", "ls"],
  ["tasks", "ls"],
  ["snapshots", "ls"],
  ["images", "ls"],
  ["leases", "ls"],
  ["content", "ls"],
  ["content", "active"],
  ["namespaces", "ls"],
] as const;

/** Everything of a fleet on disk with inode, size, mode and times, and all that its containerd lists. */
export function hostListing(fleet: ContainerdFleet): Readonly<Record<string, readonly string[]>> {
  const { stateDir, runDir } = fleet.host;
  const lists = LISTS.map(([kind, verb]) => {
    // its third column is how long ago a blob came
    const [from, to] = kind === "content" && verb === "ls" ? [2, 3] : [0, 0];
    const lines = fleet
      .ctr(kind, verb)
      .split("\n")
      // other tests come and go in namespaces of their own
      .filter((line) => kind !== "namespaces" || line.startsWith(fleet.namespace))
      .map((line) =>
        line
          .split(/\t+/)
          .toSpliced(from, to - from)
          .join("\t"),
      )
      // labels come in any order
      .map((line) => line.split(/\s+|,/).sort().join(" "));
    return [`${kind} ${verb}`, lines.sort()] as const;
  });
  return {
    ...Object.fromEntries(lists),
    files: [stateDir, runDir, `/run/containerd/runc/${fleet.namespace}`].flatMap(fileListing),
  };
}

/** A file or a directory and all below it; nothing when there is none. */
function fileListing(path: string): readonly string[] {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return [];
  const { ino, mode, size, mtimeNs, ctimeNs } = found;
  const names = found.isDirectory() ? readdirSync(path).sort() : [];
  return [
    `${path} ${ino} ${mode} ${size} ${mtimeNs} ${ctimeNs}`,
    ...names.flatMap((name) => fileListing(join(path, name))),
  ];
}
