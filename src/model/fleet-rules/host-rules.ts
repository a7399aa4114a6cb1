import { digestOf } from "../canonical.ts";
import type { FleetManifest } from "../fleet.ts";
import { hostPlaces } from "../host.ts";
import { engineMachine, machineOf } from "../machine.ts";
import { isSamePort, portKey } from "../network.ts";
import type { PodSpec } from "../pod.ts";
import { duplicates, type Findings, mistake, podsOf } from "./rule.ts";

/** Rules between the pods of one host, and between hosts. */
export function* hostRules(manifest: FleetManifest): Findings {
  if (Object.keys(manifest.hosts).length === 0) {
    yield mistake("hosts", "the fleet has no host", "add one; `stowage destroy` removes a fleet");
  }
  for (const host of Object.keys(manifest.hosts)) {
    yield* paceOfNothing(manifest, host);
    yield* volumeClashes(manifest, host);
  }
  yield* portClashes(manifest);
  yield* sharedPlaces(manifest);
  yield* sharedEngines(manifest);
}

/** A rate of what is never sent would be accepted and ignored. */
function* paceOfNothing(manifest: FleetManifest, host: string): Findings {
  const { address, pull, pullBytesPerSecond } = manifest.hosts[host] ?? {};
  if (pullBytesPerSecond === undefined || (address !== "local" && pull !== "host")) return;
  yield mistake(
    `hosts.${host}.pullBytesPerSecond`,
    address === "local"
      ? "nothing is sent to this machine"
      : "nothing is sent to a host that pulls its images itself (pull: host)",
    address === "local" ? "leave it out" : "leave it out, or declare pull: controller",
  );
}

/** Hosts whose addresses lead to one machine: whatever its engines are, each of its ports is one. */
function* portClashes(manifest: FleetManifest): Findings {
  const machines = new Map<string, string[]>();
  for (const [name, { address, engine }] of Object.entries(manifest.hosts)) {
    const machine = engine.kind === "sim" ? `simulated ${name}` : machineOf(address);
    machines.set(machine, [...(machines.get(machine) ?? []), name]);
  }
  for (const names of machines.values()) {
    const claims = names.flatMap((host) =>
      podsOf(manifest, host).flatMap(({ name, path, pod }) =>
        (pod.ports ?? []).map((port) => ({ host, pod: name, path, port })),
      ),
    );
    yield* clashesOf(claims);
  }
}

interface PortClaim {
  readonly host: string;
  readonly pod: string;
  readonly path: string;
  readonly port: NonNullable<PodSpec["ports"]>[number];
}

function* clashesOf(claims: readonly PortClaim[]): Findings {
  // those of one address and those of all may be the same: looked for within one number
  for (const [, alike] of duplicates(claims, ({ port }) =>
    portKey({ ...port, hostIp: undefined }),
  )) {
    for (const claim of alike) {
      const same = alike.filter(({ port }) => isSamePort(port, claim.port));
      if (same.length === 1) continue;
      const key = portKey(claim.port);
      if (same.find(({ path, port }) => path === claim.path && portKey(port) === key) !== claim)
        continue;
      yield mistake(
        `${claim.path}.ports[${key}]`,
        `port ${key} of ${holdersWords(claim.host, same)}`,
        "give each a port of its own",
      );
    }
  }
}

function holdersWords(host: string, same: readonly PortClaim[]): string {
  const hosts = [...new Set(same.map((claim) => claim.host))];
  const several = hosts.length > 1;
  const pods = [
    ...new Set(same.map((claim) => (several ? `${claim.host}/${claim.pod}` : claim.pod))),
  ];
  const machine = several ? `hosts ${hosts.join(" and ")}, which are one machine,` : `host ${host}`;
  return `${machine} is ${pods.length === 1 ? "declared twice" : `wanted by the pods ${pods.join(" and ")}`}`;
}

type NamedVolume = Extract<NonNullable<PodSpec["volumes"]>[string], { kind: "named" }>;

function* volumeClashes(manifest: FleetManifest, host: string): Findings {
  const uses = podsOf(manifest, host).flatMap(({ name, path, pod }) =>
    Object.entries(pod.volumes ?? {}).flatMap(([key, volume]) =>
      volume.kind === "named" ? [{ pod: name, path: `${path}.volumes.${key}`, volume }] : [],
    ),
  );
  for (const [name, same] of duplicates(uses, ({ volume }) => volume.name)) {
    if (new Set(same.map(({ volume }) => digestOf(ownership(volume)))).size === 1) continue;
    const pods = [...new Set(same.map(({ pod }) => pod))].join(", ");
    for (const { path } of same) {
      yield mistake(
        path,
        `volume "${name}" of host ${host} is declared with different owners or modes (pods ${pods})`,
        "it is one directory: give uid, gid and mode the same values everywhere",
      );
    }
  }
}

function ownership({ uid, gid, mode }: NamedVolume) {
  return { uid: uid ?? null, gid: gid ?? null, mode: mode ?? null };
}

/** Two hosts of a fleet at one place would each remove what the other has made. */
function* sharedPlaces(manifest: FleetManifest): Findings {
  const hosts = Object.entries(manifest.hosts).flatMap(([name, host]) => {
    const { files: place } = hostPlaces({ ...host, address: machineOf(host.address) });
    return place === undefined ? [] : [{ name, place }];
  });
  for (const [place, same] of duplicates(hosts, (host) => host.place)) {
    const names = same.map(({ name }) => name);
    const simulated = place.startsWith("file ");
    for (const name of names) {
      yield mistake(
        `hosts.${name}.${simulated ? "engine.file" : "address"}`,
        `the hosts ${names.join(" and ")} are one and the same (${place})`,
        simulated
          ? "give each a file of its own"
          : "declare the machine once, or give each a stateDir of its own",
      );
    }
  }
}

/** With directories of their own two hosts would each take the other's pods for what an apply left behind. */
function* sharedEngines(manifest: FleetManifest): Findings {
  const hosts = Object.entries(manifest.hosts).flatMap(([name, host]) => {
    const { engine, files } = hostPlaces({ ...host, address: engineMachine(host) });
    return engine === undefined ? [] : [{ name, engine, files }];
  });
  for (const [, same] of duplicates(hosts, ({ engine }) => engine)) {
    // hosts that share a directory are reported as one and the same
    if (new Set(same.map(({ files }) => files)).size === 1) continue;
    const names = same.map(({ name }) => name);
    for (const name of names) {
      yield mistake(
        `hosts.${name}.engine`,
        `the hosts ${names.join(" and ")} share one engine of one machine`,
        "declare the machine once, or give each an engine of its own: another namespace or another store",
      );
    }
  }
}
