import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openContainerd } from "../../../src/engines/containerd/index.ts";
import { busyboxContent } from "./busybox-content.ts";
import type { EngineFixture, OpenedEngine } from "./engine-fixture.ts";
import { filesBelow } from "./files-below.ts";
import { openHost } from "./open-host.ts";
import { pidOf } from "./pid-of.ts";
import { withMachine } from "./with-machine.ts";

/** containerd's own client: the view from outside. */
const CLIENT = "ctr";

/** What of a namespace of containerd is looked at for leftovers. */
const LISTS = [
  ["images", "ls", "-q"],
  ["containers", "ls", "-q"],
  ["tasks", "ls", "-q"],
  ["snapshots", "ls"],
  ["leases", "ls", "-q"],
  ["content", "active"],
];

/** A namespace that no other test has. */
export function conformanceNamespace(): string {
  return `stw-conf-${randomBytes(4).toString("hex")}`;
}

/** containerd as the suite takes it, each opening in a namespace of its own unless told otherwise. */
export function containerdFixture(
  address: () => string,
  namespace: () => string = conformanceNamespace,
): EngineFixture {
  return {
    name: "containerd",
    features: {
      kernel: true,
      confined: true,
      imageFiles: true,
      keepsLayer: true,
      readOnlyRoot: true,
      softLimits: true,
      changesUlimits: true,
      renamesImages: true,
      restarts: false,
      events: true,
    },
    open: () => open(address(), namespace()),
    image: busyboxContent,
  };
}

async function open(address: string, namespace: string): Promise<OpenedEngine> {
  const folder = mkdtempSync(join(tmpdir(), "stw-conf-"));
  const directories = { stateDir: join(folder, "state"), runDir: join(folder, "run") };
  const config = { kind: "containerd", socket: address, namespace } as const;
  const host = await openHost();
  const networks = withMachine(await openContainerd(config, host, directories), host, directories);
  const { engine, page, breakNetwork } = networks;
  const ctr = (...args: readonly string[]): string => runCtr(address, namespace, args);
  return {
    engine,
    host,
    directories,
    page,
    breakNetwork,
    killContainer: async (identity, container) => {
      process.kill(await pidOf(engine, identity, container), "SIGKILL");
    },
    addForeignImage: async (name) => {
      const [some] = ctr("images", "ls", "-q").trim().split("\n");
      ctr("images", "tag", "--force", some ?? "", name);
      ctr("images", "label", name, "io.stowage.image=");
      for (const label of stowageLabels(ctr("images", "ls", `name==${name}`))) {
        ctr("images", "label", name, `${label}=`);
      }
    },
    traces: async () => [
      ...networks.traces(),
      ...LISTS.map((list) => ctr(...list)),
      runCtr(address, namespace, ["namespaces", "ls", "-q"])
        .split("\n")
        .filter((each) => each === namespace)
        .join(),
      filesBelow(folder).join("\n"),
    ],
    close: async () => {
      await engine[Symbol.asyncDispose]();
      networks.close();
      for (const name of ctr("images", "ls", "-q").split("\n").filter(Boolean)) {
        ctr("images", "rm", "--sync", name);
      }
      await removeNamespace(address, namespace);
      await host[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function runCtr(address: string, namespace: string, args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(CLIENT, ["-a", address, "-n", namespace, ...args], {
    encoding: "utf8",
  });
  // A namespace that was never used is not there to be removed.
  if (status !== 0 && !/not found/i.test(stderr))
    throw new Error(`ctr ${args.join(" ")}: ${stderr}`);
  return stdout;
}

// What was deleted goes with the next collection: until then the namespace is not empty.
async function removeNamespace(address: string, namespace: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      runCtr(address, namespace, ["namespaces", "rm", namespace]);
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await delay(100);
    }
  }
}

function stowageLabels(listing: string): readonly string[] {
  return [...listing.matchAll(/(io\.stowage\.[^=,\s]+)=/g)].map((match) => match[1] ?? "");
}
