import { join } from "node:path";
import type { FleetManifest, PodSpec } from "../../src/model/index.ts";

/** How {@link simFleet} is made. */
export interface SimFleetOptions {
  readonly hosts: number;
  /** Of each host. */
  readonly podsPerHost: number;
  /** Only the first host has pods. */
  readonly onlyFirst?: boolean;
  /** What each call of a host takes. */
  readonly latencyMs?: number;
  /** Where each host's file is. */
  readonly dir: string;
  readonly image: { readonly reference: string; readonly digest: string; readonly layout: string };
}

/** Name of a host. */
export function simHostName(at: number): string {
  return `host-${at}`;
}

/** File that holds a host. */
export function simHostFile(dir: string, at: number): string {
  return join(dir, `${simHostName(at)}.json`);
}

/** A fleet of simulated hosts, each in a file, with the same number of pods on each. */
export function simFleet(options: SimFleetOptions): FleetManifest {
  const { hosts, podsPerHost, dir, image } = options;
  const reference = `${image.reference}@${image.digest}`;
  const pod: PodSpec = {
    containers: {
      main: {
        image: reference,
        command: ["/app"],
        env: { LOG: "info", REGION: "north" },
        resources: { memoryBytes: 256 * 1024 * 1024 },
      },
    },
    labels: { tier: "web" },
  };
  const names = Array.from({ length: podsPerHost }, (_, number) => `pod-${number}`);
  const pods = Object.fromEntries(names.map((name) => [name, pod]));
  const specs = Array.from({ length: hosts }, (_, at) => {
    const { latencyMs } = options;
    const engine = {
      kind: "sim",
      file: simHostFile(dir, at),
      ...(latencyMs === undefined ? {} : { latencyMs }),
    } as const;
    const own = options.onlyFirst === true && at > 0 ? {} : { pods };
    return [simHostName(at), { address: "local", engine, ...own }] as const;
  });
  return {
    version: "stowage/v1",
    name: "sim",
    id: "stowage-bench",
    images: { [reference]: { layout: image.layout, digest: image.digest } },
    hosts: Object.fromEntries(specs),
  };
}
