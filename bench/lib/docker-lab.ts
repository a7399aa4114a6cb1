import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { throughEngine, unpackEngine } from "../../scripts/lib/engine-matrix/engine-files.ts";
import type { MadeImage } from "../../scripts/lib/make-image.ts";
import { StowageError } from "../../src/errors/index.ts";
import { mountsNaming } from "../../test/support/engines/look-around.ts";
import { NetworkMachine } from "../../test/support/network-machine.ts";
import { timeCommand } from "./time-command.ts";

const DOCKER = {
  name: "docker-sid",
  program: "dockerd",
  suite: "sid",
  packages: ["docker.io", "docker-cli", "docker-compose", "containerd", "runc"],
  tests: [],
};
const START_MS = 60_000;
const STOP_MS = 120_000;
const CGROUPS = "/sys/fs/cgroup";

/** Name of the image in a {@link DockerLab}. */
export const DOCKER_IMAGE = "bench:1";

/** A dockerd for one benchmark, in a network namespace of its own; disposing removes all that it had. */
export interface DockerLab extends AsyncDisposable {
  /** Directory for files of the benchmark. */
  readonly dir: string;
  /** `docker` with such words; returns the milliseconds that it took. */
  docker(...words: readonly string[]): Promise<number>;
}

/** Unpacks Debian's dockerd and compose, once, and starts them in a folder of their own. Nothing is installed. */
export async function openDockerLab(image: MadeImage, signal: AbortSignal): Promise<DockerLab> {
  const cache =
    process.env["STOWAGE_MATRIX_DIR"] ?? join(homedir(), ".cache", "stowage", "engines");
  mkdirSync(cache, { recursive: true });
  const engine = await unpackEngine(DOCKER, cache);
  const machine = new NetworkMachine();
  // short: it holds sockets
  const dir = mkdtempSync(join(tmpdir(), "stw-dk-"));
  const [socket, group] = [join(dir, "s"), dir.slice(dir.lastIndexOf("/") + 1)];
  const [program = "", ...words] = machine.inside([...throughEngine(engine), "dockerd"]);
  const places = [
    ["--data-root", join(dir, "data")],
    ["--exec-root", join(dir, "exec")],
    ["--pidfile", join(dir, "pid")],
    ["--host", `unix://${socket}`],
    ["--cgroup-parent", `/${group}`],
  ].flat();
  const log = openSync(join(dir, "log"), "a");
  const daemon = spawn(program, [...words, ...places], { stdio: ["ignore", log, log] });
  const close = async () => {
    await end(daemon);
    removeFolder(dir);
    removeCgroups(group);
    machine.close();
  };
  const env = { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(dir, "config") };
  // it sees what dockerd sees; entering that takes 2 ms
  const docker = (...more: readonly string[]) =>
    timeCommand("nsenter", [`--mount=/proc/${daemon.pid}/ns/mnt`, "docker", ...more], {
      env,
      cwd: dir,
      signal,
    });
  try {
    await waitFor(daemon, socket, join(dir, "log"));
    await docker("import", layerOf(image), DOCKER_IMAGE);
    return { dir, docker, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function waitFor(daemon: ChildProcess, socket: string, log: string): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (!existsSync(socket)) {
    if (daemon.exitCode !== null || performance.now() > deadline) {
      throw new StowageError(
        `Cannot measure: dockerd did not start: ${readFileSync(log, "utf8").slice(-500)}`,
        { code: "internal" },
      );
    }
    await delay(50);
  }
}

async function end(daemon: ChildProcess): Promise<void> {
  const deadline = performance.now() + STOP_MS;
  daemon.kill("SIGTERM");
  while (daemon.exitCode === null && daemon.signalCode === null) {
    if (performance.now() > deadline) daemon.kill("SIGKILL");
    await delay(50);
  }
}

function removeFolder(dir: string): void {
  if (mountsNaming(`${dir}/`).length > 0) {
    throw new StowageError(`Cannot remove ${dir}: dockerd left mounts in it; unmount them`, {
      code: "internal",
    });
  }
  rmSync(dir, { recursive: true, force: true });
}

/** What dockerd leaves of its own cgroups. */
function removeCgroups(group: string): void {
  const roots = [CGROUPS, ...readdirSync(CGROUPS).map((name) => join(CGROUPS, name))];
  for (const root of roots) {
    const path = join(root, group);
    if (existsSync(path)) rmdirSync(path);
  }
}

/** The only layer of an image, in its layout. */
function layerOf({ layout, digest }: MadeImage): string {
  const blob = (of: string) => join(layout, "blobs", of.replace(":", "/"));
  const { layers } = JSON.parse(readFileSync(blob(digest), "utf8")) as {
    readonly layers: readonly { readonly digest: string }[];
  };
  const [only] = layers;
  if (only === undefined || layers.length > 1)
    throw new StowageError("Cannot measure: the image has not one layer", { code: "internal" });
  return blob(only.digest);
}
