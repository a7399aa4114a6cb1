import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type EngineConfig,
  type FleetManifest,
  type HostSpec,
  hostLayout,
  type PodRecord,
  RECORD_VERSION,
} from "../../../src/model/index.ts";
import { serveEmptyContainerd } from "./empty-containerd.ts";

const NAME = "exercise";
const DIGEST = `sha256:${"0".repeat(64)}`;
const REFERENCE = `localhost/exercise:1@${DIGEST}`;
const POD = { containers: { main: { image: REFERENCE, command: ["sleep", "1"] } } };
const RKT_VERSION = [
  "rkt Version: 1.30.0",
  "appc Version: 0.8.11",
  "Go Version: go1.19",
  "Go OS/Arch: linux/amd64",
  "Features: -TPM +SDJOURNAL",
];

/**
 * Writes a fleet with a host of each engine, played by programs that have nothing in them, and what
 * was applied to it once: a plan of it does most of what any plan does.
 *
 * @returns path of the manifest
 */
export async function writeExercise(dir: string): Promise<string> {
  const socket = join(dir, "containerd.sock");
  await serveEmptyContainerd(socket, {
    owner: NAME,
    fleet: NAME,
    host: "containerd",
    pod: "main",
    generation: 1,
  });
  const program = (name: string, words: Readonly<Record<string, readonly string[]>>): string => {
    const cases = Object.entries(words).map(
      ([word, lines]) => `*${word}*) cat <<'END'\n${lines.join("\n")}\nEND\n;;\n`,
    );
    const path = join(dir, name);
    writeFileSync(path, `#!/bin/sh\ncase "$*" in\n${cases.join("")}esac\n`, { mode: 0o755 });
    return path;
  };
  const data = join(dir, "rkt-data");
  mkdirSync(data);
  const engines: readonly EngineConfig[] = [
    { kind: "containerd", socket },
    {
      kind: "podman",
      program: program("podman", { "--version": ["podman version 4.3.1"], json: ["[]"] }),
    },
    {
      kind: "rkt",
      program: program("rkt", { version: RKT_VERSION, list: ["null"] }),
      dir: data,
    },
    { kind: "sim" },
  ];
  const hosts = engines.map((engine): [string, HostSpec] => [engine.kind, hostOf(dir, engine)]);
  const fleet: FleetManifest = {
    version: "stowage/v1",
    name: NAME,
    id: NAME,
    images: {},
    hosts: Object.fromEntries(hosts),
  };
  const manifest = join(dir, "fleet.json");
  writeFileSync(manifest, JSON.stringify(fleet));
  return manifest;
}

function hostOf(dir: string, engine: EngineConfig): HostSpec {
  const { kind } = engine;
  const [stateDir, runDir] = [join(dir, `${kind}-state`), join(dir, `${kind}-run`)];
  const { fleetDir, recordFile } = hostLayout({ stateDir, runDir }, NAME, NAME);
  mkdirSync(fleetDir, { recursive: true });
  const images = { main: { reference: REFERENCE, digest: DIGEST } };
  const record: PodRecord = {
    version: RECORD_VERSION,
    owner: NAME,
    fleet: NAME,
    host: kind,
    pod: "main",
    current: 1,
    generations: [{ generation: 1, spec: POD, images, defaults: 1, engine }],
    appliedAt: "2026-01-01T00:00:00.000Z",
    appliedBy: NAME,
  };
  writeFileSync(recordFile("main"), JSON.stringify(record));
  return { address: "local", engine, stateDir, runDir, pods: { main: POD, new: POD } };
}
