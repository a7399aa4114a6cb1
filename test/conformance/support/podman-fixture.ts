import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { mountsBelow, privatePodman, processesOf } from "../../../scripts/lib/private-podman.ts";
import { openPodman } from "../../../src/engines/podman/index.ts";
import { busyboxContent } from "./busybox-content.ts";
import type { EngineFixture, OpenedEngine } from "./engine-fixture.ts";
import { filesBelow } from "./files-below.ts";
import { openHost } from "./open-host.ts";
import { pidOf } from "./pid-of.ts";
import { withMachine } from "./with-machine.ts";

/** podman as the suite takes it, each opening with a store of its own. @param reach the machine that it is on */
export function podmanFixture(program: () => string, reach = openHost): EngineFixture {
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
      renamesImages: true,
      restarts: true,
      events: true,
    },
    open: () => openPodmanInFolder(program(), reach),
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
export async function openPodmanInFolder(
  program: string,
  reach = openHost,
): Promise<PodmanInFolder> {
  const folder = mkdtempSync(join(tmpdir(), "stw-podman-"));
  const directories = { stateDir: join(folder, "state"), runDir: join(folder, "run") };
  const store = privatePodman(folder, program);
  const host = await reach();
  const networks = withMachine(
    await openPodman(store.config, host, directories),
    host,
    directories,
  );
  const { engine, page, breakNetwork } = networks;
  const podman = store.run;
  return {
    engine,
    host,
    directories,
    folder,
    podman,
    page,
    breakNetwork,
    killContainer: async (identity, container) => {
      process.kill(await pidOf(engine, identity, container), "SIGKILL");
    },
    addForeignImage: async (name) => {
      const [some = ""] = podman("images", "--quiet", "--no-trunc").trim().split("\n");
      podman("tag", some, name);
    },
    traces: async () => [
      ...networks.traces(),
      // asking a store that was never used would make it
      ...(store.wasUsed()
        ? LISTS.map((list) => withoutPause(podman(...list)))
        : [`${existsSync(store.config.root)}`]),
      (await settled(folder)).join("\n"),
      [...filesBelow(directories.stateDir), ...filesBelow(directories.runDir)]
        // made with the first pod, or the first of several containers, and kept
        .filter((path) => !/\/(?:containers\.conf|version\.json)$/.test(path))
        .join("\n"),
      mountsBelow(folder).join("\n"),
    ],
    close: async () => {
      await engine[Symbol.asyncDispose]();
      networks.close();
      store.endContainers();
      await host[Symbol.asyncDispose]();
      await settled(folder);
      store.remove();
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
