import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRkt } from "../../../src/engines/rkt/index.ts";
import { RktLayout } from "../../../src/engines/rkt/layout.ts";
import { busyboxContent } from "./busybox-content.ts";
import type { EngineFixture, OpenedEngine } from "./engine-fixture.ts";
import { openHost } from "./open-host.ts";
import { pidOf } from "./pid-of.ts";
import { withMachine } from "./with-machine.ts";

/** rkt as the suite takes it, each opening with a data directory of its own. */
export function rktFixture(program: () => string): EngineFixture {
  return {
    name: "rkt",
    features: {
      kernel: true,
      confined: false,
      imageFiles: true,
      keepsLayer: false,
      readOnlyRoot: false,
      softLimits: false,
      changesUlimits: false,
      renamesImages: false,
      restarts: false,
      events: false,
    },
    open: () => open(program()),
    image: busyboxContent,
  };
}

async function open(program: string): Promise<OpenedEngine> {
  const folder = mkdtempSync(join(tmpdir(), "stw-rkt-"));
  const directories = { stateDir: join(folder, "state"), runDir: join(folder, "run") };
  const [dir, config] = [join(folder, "rkt"), join(folder, "config")];
  const host = await openHost();
  const inner = await openRkt(
    { kind: "rkt", program, dir, localConfig: config, systemConfig: config },
    host,
    directories,
  );
  const networks = withMachine(inner, host, directories);
  const { engine, page, breakNetwork } = networks;
  const rkt = (...args: readonly string[]): string => {
    const flags = [`--dir=${dir}`, `--local-config=${config}`, `--system-config=${config}`];
    const { stdout, stderr, status } = spawnSync(program, [...flags, ...args], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`rkt ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  return {
    engine,
    host,
    directories,
    page,
    breakNetwork,
    killContainer: async (identity, container) => {
      process.kill(await pidOf(engine, identity, container), "SIGKILL");
    },
    addForeignImage: async (image) => {
      rkt("--insecure-options=image", "fetch", "--full", foreignAci(folder, image));
    },
    traces: async () => [
      ...networks.traces(),
      // made with the first pod, and kept
      ...filesBelow(join(folder, "state")).filter((path) => !path.endsWith("/version.json")),
      ...filesBelow(join(folder, "run")),
      ...(existsSync(dir) ? [rkt("list", "--full", "--no-legend"), imageNames(rkt)] : []),
      ...cgroupsOf(directories.stateDir),
      ...mountsBelow(folder),
    ],
    close: async () => {
      await engine[Symbol.asyncDispose]();
      networks.close();
      await host[Symbol.asyncDispose]();
      spawnSync("sh", [
        "-c",
        `rmdir /sys/fs/cgroup/*/${scopeOf(directories.stateDir)} /sys/fs/cgroup/${scopeOf(directories.stateDir)}`,
      ]);
      // what the real rkt mounts there is the host's own /dev
      const [left] = mountsBelow(folder);
      if (left !== undefined) throw new Error(`${left} is still mounted`);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An image that Stowage knows nothing of, as `name:version`. */
function foreignAci(folder: string, image: string): string {
  const [name, version] = image.split(":");
  const source = join(folder, "foreign");
  rmSync(source, { recursive: true, force: true });
  mkdirSync(join(source, "rootfs"), { recursive: true });
  const labels = { version, os: "linux", arch: "amd64" };
  const manifest = {
    acKind: "ImageManifest",
    acVersion: "0.8.11",
    name,
    labels: Object.entries(labels).map(([label, value]) => ({ name: label, value })),
  };
  writeFileSync(join(source, "manifest"), JSON.stringify(manifest));
  const file = join(folder, "foreign.aci");
  const { status } = spawnSync("tar", ["-C", source, "-cf", file, "manifest", "rootfs"]);
  if (status !== 0) throw new Error("Cannot make an ACI");
  return file;
}

function imageNames(rkt: (...args: readonly string[]) => string): string {
  const images = JSON.parse(rkt("image", "list", "--format=json")) as { name: string }[] | null;
  return (images ?? [])
    .map(({ name }) => name)
    .sort()
    .join("\n");
}

/** The cgroups of a state directory's containers, without the folder of all. */
function cgroupsOf(stateDir: string): readonly string[] {
  const scope = scopeOf(stateDir);
  const roots = ["cpu", "cpuset", "memory", "pids", "."].map(
    (each) => `/sys/fs/cgroup/${each}/${scope}`,
  );
  return roots
    .filter((root) => existsSync(root))
    .flatMap((root) =>
      readdirSync(root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(root, entry.name)),
    );
}

function scopeOf(stateDir: string): string {
  return new RktLayout({ stateDir, runDir: "" }, "").scope;
}

function mountsBelow(folder: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${folder}/`))
    .sort();
}

/** Files and links, without directories, which may stay empty. */
function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
