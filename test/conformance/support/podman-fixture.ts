import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openPodman } from "../../../src/engines/podman/index.ts";
import { openLocalHost } from "../../../src/host/index.ts";
import { busyboxContent } from "./busybox-content.ts";
import type { EngineFixture, OpenedEngine } from "./engine-fixture.ts";
import { filesBelow } from "./files-below.ts";
import { pidOf } from "./pid-of.ts";

/** podman as the suite takes it, each opening with a store of its own. */
export function podmanFixture(program: () => string): EngineFixture {
  return {
    name: "podman",
    features: {
      kernel: true,
      confined: true,
      imageFiles: true,
      keepsLayer: true,
      readOnlyRoot: true,
      softLimits: true,
      changesUlimits: false,
    },
    open: () => openPodmanInFolder(program()),
    image: busyboxContent,
  };
}

/** What of a store is looked at for leftovers; its images but those that podman makes for pods itself. */
const LISTS = [
  ["ps", "--all", "--external", "--no-trunc", "--format", "{{.Names}} {{.ID}}"],
  ["pod", "ps", "--no-trunc", "--format", "{{.Name}} {{.ID}}"],
  ["volume", "ls", "--quiet"],
  [
    "images",
    "--no-trunc",
    "--format",
    "{{.Repository}}:{{.Tag}} {{.ID}}",
    "--filter",
    "reference=*",
  ],
];

/** A podman with its store in a folder of its own, to be used directly too. */
export interface PodmanInFolder extends OpenedEngine {
  readonly folder: string;
  /** podman's own view, from outside. @returns its stdout */
  podman(...args: readonly string[]): string;
}

/** Opens a podman whose store is in a new folder. */
export async function openPodmanInFolder(program: string): Promise<PodmanInFolder> {
  const folder = mkdtempSync(join(tmpdir(), "stw-podman-"));
  const directories = { stateDir: join(folder, "state"), runDir: join(folder, "run") };
  const [root, runRoot, tmpDir] = ["root", "runroot", "tmp"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const config = { kind: "podman", program, root, runRoot, tmpDir } as const;
  const host = openLocalHost();
  const engine = await openPodman(config, host, directories);
  const flags = ["--root", root, "--runroot", runRoot, "--tmpdir", tmpDir];
  const podman = (...args: readonly string[]): string => {
    const { stdout, stderr, status } = spawnSync(program, [...flags, ...args], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], PODMAN_IGNORE_CGROUPSV1_WARNING: "1" },
    });
    if (status !== 0) throw new Error(`podman ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const wasUsed = (): boolean =>
    ["libpod/bolt_state.db", "db.sql"].some((name) => existsSync(join(root, name)));
  return {
    engine,
    host,
    directories,
    folder,
    podman,
    killContainer: async (identity, container) => {
      process.kill(await pidOf(engine, identity, container), "SIGKILL");
    },
    addForeignImage: async (name) => {
      const [some = ""] = podman("images", "--quiet", "--no-trunc").trim().split("\n");
      podman("tag", some, name);
    },
    traces: async () => [
      // asking a store that was never used would make it
      ...(wasUsed() ? LISTS.map((list) => withoutPause(podman(...list))) : [`${existsSync(root)}`]),
      (await settled(folder)).join("\n"),
      [...filesBelow(directories.stateDir), ...filesBelow(directories.runDir)].join("\n"),
      mountsBelow(folder).join("\n"),
    ],
    close: async () => {
      await engine[Symbol.asyncDispose]();
      if (wasUsed()) {
        for (const pod of podman("pod", "ps", "--quiet", "--no-trunc").split("\n").filter(Boolean))
          podman("pod", "rm", "--force", "--time", "0", pod);
        for (const id of podman("ps", "--all", "--external", "--quiet", "--no-trunc")
          .split("\n")
          .filter(Boolean))
          podman("rm", "--force", "--volumes", "--time", "0", id);
      }
      await host[Symbol.asyncDispose]();
      await settled(folder);
      for (const mount of mountsBelow(folder).toReversed()) spawnSync("umount", [mount]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function withoutPause(listing: string): string {
  return listing
    .split("\n")
    .filter((line) => !line.startsWith("localhost/podman-pause:"))
    .sort()
    .join("\n");
}

/** Programs of podman's that still work on a folder, once those that are about to end have ended. */
async function settled(folder: string): Promise<readonly string[]> {
  for (let tries = 0; ; tries += 1) {
    const running = processesOf(folder).filter((line) => !line.includes("zombie"));
    const passing = running.filter((line) => line.includes("container cleanup"));
    if (passing.length === 0 || tries === 100) return running;
    await delay(50);
  }
}

function processesOf(folder: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ");
        return argv.includes(folder) ? [`${pid} ${argv}`] : [];
      } catch {
        return [];
      }
    });
}

/** podman leaves its graph driver's own mount in place. */
function mountsBelow(folder: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${folder}/`));
}
