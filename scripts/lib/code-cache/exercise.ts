import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AppliedImage,
  type EngineConfig,
  type FleetManifest,
  type HostDirectories,
  type HostSpec,
  hostLayout,
  type PodIdentity,
  type PodRecord,
  type PodSpec,
  RECORD_VERSION,
  ROSTER_VERSION,
  type Roster,
} from "../../../src/model/index.ts";
import { makeImage } from "../make-image.ts";
import { serveEmptyContainerd } from "./empty-containerd.ts";
import { playPodman } from "./play-podman.ts";
import { playRkt } from "./play-rkt.ts";

const NAME = "exercise";
const APPLIED = { appliedAt: "2026-01-01T00:00:00.000Z", appliedBy: NAME };

/** A fleet to plan, as long as its engines are played. */
export interface Exercise extends AsyncDisposable {
  /** Path of its manifest. */
  readonly manifest: string;
}

/**
 * Writes a fleet with a host of each engine, played by programs that know one pod, and what was applied
 * to it once: a plan of it does most of what any plan does.
 */
export async function openExercise(dir: string): Promise<Exercise> {
  const { layout, digest } = makeImage({
    out: join(dir, "image"),
    reference: `localhost/${NAME}:1`,
  });
  const image = { reference: `localhost/${NAME}:1@${digest}`, digest };
  const pod = { containers: { main: { image: image.reference, command: ["sleep", "1"] } } };
  const socket = join(dir, "containerd.sock");
  const containerd = await serveEmptyContainerd(socket, identityOn("containerd"));
  const engines: readonly EngineConfig[] = [
    { kind: "containerd", socket },
    playPodman(dir, identityOn("podman"), pod, image),
    playRkt(dir, directoriesOf(dir, "rkt"), identityOn("rkt"), image),
    { kind: "sim" },
  ];
  const hosts = engines.map((engine): [string, HostSpec] => [
    engine.kind,
    hostOf(dir, engine, pod, image),
  ]);
  writeRosters(dir, hosts);
  const fleet: FleetManifest = {
    version: "stowage/v1",
    name: NAME,
    id: NAME,
    images: { [image.reference]: { layout } },
    hosts: Object.fromEntries(hosts),
  };
  const manifest = join(dir, "fleet.json");
  writeFileSync(manifest, JSON.stringify(fleet));
  return { manifest, [Symbol.asyncDispose]: () => containerd[Symbol.asyncDispose]() };
}

function writeRosters(dir: string, hosts: readonly (readonly [string, HostSpec])[]): void {
  const roster: Roster = {
    version: ROSTER_VERSION,
    owner: NAME,
    fleet: NAME,
    manager: "cli",
    hosts: Object.fromEntries(
      hosts.map(([host, { address, engine, stateDir, runDir }]) => [
        host,
        { address, engine: engine.kind, config: engine, stateDir, runDir },
      ]),
    ),
    ...APPLIED,
  };
  for (const [, { engine }] of hosts) {
    const { rosterFile } = hostLayout(directoriesOf(dir, engine.kind), NAME, NAME);
    writeFileSync(rosterFile, JSON.stringify(roster));
  }
}

function identityOn(host: string): PodIdentity {
  return { owner: NAME, fleet: NAME, host, pod: "main", generation: 1 };
}

function directoriesOf(dir: string, kind: EngineConfig["kind"]): HostDirectories {
  return { stateDir: join(dir, `${kind}-state`), runDir: join(dir, `${kind}-run`) };
}

function hostOf(dir: string, engine: EngineConfig, pod: PodSpec, image: AppliedImage): HostSpec {
  const { kind } = engine;
  const directories = directoriesOf(dir, kind);
  const { fleetDir, recordFile } = hostLayout(directories, NAME, NAME);
  mkdirSync(fleetDir, { recursive: true });
  const record: PodRecord = {
    version: RECORD_VERSION,
    owner: NAME,
    fleet: NAME,
    host: kind,
    pod: "main",
    current: 1,
    generations: [{ generation: 1, spec: pod, images: { main: image }, defaults: 1, engine }],
    ...APPLIED,
  };
  writeFileSync(recordFile("main"), JSON.stringify(record));
  return { address: "local", engine, ...directories, pods: { main: pod, new: pod } };
}
