import { readFileSync, writeFileSync } from "node:fs";
import type { FleetManifest } from "../../src/model/index.ts";
import type { ContainerdLab } from "./containerd-lab.ts";

/** Port of the host that the first pod of a {@link writeBridgeFleet} answers on; each next one has the next. */
export const FIRST_PORT = 20_001;

/** Writes the manifest of a fleet of sleeping pods on one bridge, with a published port each. @returns its path */
export function writeBridgeFleet(lab: ContainerdLab, name: string, pods: number): string {
  const path = lab.writeFleet(name, pods);
  const fleet = JSON.parse(readFileSync(path, "utf8")) as FleetManifest;
  const network = { mode: "bridge", name: "front" };
  const hosts = Object.entries(fleet.hosts).map(([host, spec]) => {
    const own = Object.entries(spec.pods ?? {}).map(([pod, each], at) => {
      const ports = [{ host: FIRST_PORT + at, container: 8080 }];
      return [pod, { ...each, network, ports }];
    });
    return [host, { ...spec, pods: Object.fromEntries(own) }];
  });
  const networks = { front: {} };
  writeFileSync(path, JSON.stringify({ ...fleet, networks, hosts: Object.fromEntries(hosts) }));
  return path;
}
