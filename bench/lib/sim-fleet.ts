import type { FleetManifest, PodSpec } from "../../src/model/index.ts";

/** How {@link simFleet} is made. */
export interface SimFleetOptions {
  readonly hosts: number;
  /** Of all hosts together; rounded up to the same number on each. */
  readonly pods: number;
  readonly image: { readonly reference: string; readonly digest: string; readonly layout: string };
}

/** A fleet of simulated hosts in memory, its pods spread evenly over them. */
export function simFleet({ hosts, pods, image }: SimFleetOptions): FleetManifest {
  const reference = `${image.reference}@${image.digest}`;
  const perHost = Math.ceil(pods / hosts);
  const pod: PodSpec = {
    containers: {
      main: {
        image: reference,
        command: ["app"],
        env: { LOG: "info", REGION: "north" },
        resources: { memoryBytes: 256 * 1024 * 1024 },
      },
    },
    labels: { tier: "web" },
  };
  const names = Array.from({ length: perHost }, (_, number) => `pod-${number}`);
  const host = { address: "local", engine: { kind: "sim" } } as const;
  const specs = Array.from({ length: hosts }, (_, at) => {
    const own = Object.fromEntries(names.map((name) => [name, pod]));
    return [`host-${at}`, { ...host, pods: own }] as const;
  });
  return {
    version: "stowage/v1",
    name: "sim",
    id: "stowage-bench",
    images: { [reference]: { layout: image.layout, digest: image.digest } },
    hosts: Object.fromEntries(specs),
  };
}
