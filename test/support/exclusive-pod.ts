import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hostLayout } from "../../src/model/index.ts";
import type { RealFleet } from "./real-fleet.ts";

/** Locks the volume for as long as its process lives; a second one writes so into the witness file and fails. */
const LOCK = [
  "exec 9>>/data/lock",
  'flock -n 9 || { echo "$HOSTNAME: a second one" >> /data/witness; exit 1; }',
  "echo started >> /data/starts",
].join("\n");

/** How a pod that allows no second one is made. */
interface ExclusivePod {
  readonly image: string;
  /** What it does once it has the lock. @defaultValue it runs until SIGKILL */
  readonly work?: string;
  readonly container?: object;
  readonly pod?: object;
}

/** A pod whose process fails when another one holds the lock on its named volume. */
export function exclusivePod({ image, work, container, pod }: ExclusivePod): object {
  return {
    volumes: { data: { kind: "named", name: "data" } },
    containers: {
      main: {
        image,
        command: ["sh", "-c", `${LOCK}\n${work ?? "exec sleep 100000"}`],
        stopSignal: "SIGKILL",
        mounts: [{ volume: "data", path: "/data" }],
        ...container,
      },
    },
    ...pod,
  };
}

/** Asked to end by SIGTERM it keeps the lock for a while: whoever does not wait for it meets it. */
export const SLOW_TO_END = {
  work: "trap 'sleep 0.3; exit 0' TERM\nsleep 100000 9>&- & wait",
  container: { stopSignal: "SIGTERM" },
} as const;

/** What the processes of an exclusive pod wrote on its volume. */
export function volumeOf({ host }: RealFleet): {
  readonly starts: number;
  /** Lines of those that met another one. */
  readonly witness: string;
} {
  const dir = hostLayout(host, "owner-1", "shop").volumeDir("data");
  const read = (name: string) =>
    existsSync(join(dir, name)) ? readFileSync(join(dir, name), "utf8") : "";
  return { starts: read("starts").split("\n").length - 1, witness: read("witness") };
}
