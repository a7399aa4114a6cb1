import { afterAll, beforeAll, expect, test } from "vitest";
import { stopPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import { startTemporaryContainerd } from "../../scripts/lib/temporary-containerd.ts";
import { renderPlan } from "../../src/cli/plan/render-plan.ts";
import { paintOf } from "../../src/cli/text/paint.ts";
import type { FleetManifest } from "../../src/model/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import type { RealEngine } from "../set-up/engine-provision.ts";
import {
  deleteNamespace,
  deleteVolume,
  flushNat,
  killProcess,
  onContainerd,
  onPodman,
  onRkt,
  writeLimit,
} from "../support/drift/harms.ts";
import type { Harm } from "../support/drift/victim.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { MachineFleet } from "../support/machine-fleet.ts";

const MEBIBYTE = 1024 * 1024;
const run = { command: ["sleep", "100000"], stopSignal: "SIGKILL" };
const pods = {
  db: {
    volumes: { data: { kind: "named", name: "data" } },
    network: { mode: "bridge", name: "front" },
    ports: [{ host: 18080, container: 8080 }],
    containers: {
      main: {
        ...run,
        image: "app:1",
        resources: { memoryBytes: 64 * MEBIBYTE },
        mounts: [{ volume: "data", path: "/data" }],
      },
    },
  },
  other: { containers: { main: { ...run, image: "app:2" } } },
};

const NO_DAEMON = "it has no daemon";

/** What happens behind Stowage's back, what a plan says of it, and how it happens on each engine, or why it cannot. */
const LINES: readonly (readonly [string, RegExp, Readonly<Record<RealEngine, Harm | string>>])[] = [
  [
    "its process is killed",
    /! db .*it was killed by signal 9 \(exit 137\)/,
    { containerd: killProcess, podman: killProcess, rkt: killProcess },
  ],
  [
    "its container is deleted",
    /it is gone: somebody removed it from the engine|somebody removed its pod from rkt/,
    {
      containerd: onContainerd.deleteContainer,
      podman: onPodman.deleteContainer,
      rkt: onRkt.deletePod,
    },
  ],
  [
    "its snapshot is deleted",
    /its file system is gone: somebody deleted its snapshot from containerd/,
    {
      containerd: onContainerd.deleteSnapshot,
      podman: "a container and its layer are one",
      rkt: "a pod and its file system are one",
    },
  ],
  [
    "its image is deleted",
    /import image docker\.io\/library\/app:1/,
    {
      containerd: onContainerd.deleteImage,
      podman: onPodman.deleteImage,
      rkt: onRkt.deleteImage,
    },
  ],
  [
    "its image's name is given to another one",
    /import image docker\.io\/library\/app:1/,
    {
      containerd: onContainerd.retagImage,
      podman: onPodman.retagImage,
      rkt: "a name may have many images: they are known by their ids",
    },
  ],
  [
    "its limits are changed with the engine's own tool",
    /containers\.main\.resources\.memoryBytes +48 MiB → 64 MiB .*found changed on the host/,
    { containerd: onContainerd.changeLimit, podman: onPodman.changeLimit, rkt: writeLimit },
  ],
  [
    "it is paused",
    /it is paused/,
    { containerd: onContainerd.pause, podman: onPodman.pause, rkt: "it pauses nothing" },
  ],
  [
    "its network namespace is deleted",
    /its network namespace was deleted/,
    { containerd: deleteNamespace, podman: deleteNamespace, rkt: deleteNamespace },
  ],
  [
    "NAT rules are flushed",
    /the rule that forwards host port 18080\/tcp to it was removed/,
    { containerd: flushNat, podman: flushNat, rkt: flushNat },
  ],
  [
    "its volume is deleted",
    /volumes\.data +its directory was deleted from the host, and what was in it is lost; it is created again, empty/,
    { containerd: deleteVolume, podman: deleteVolume, rkt: deleteVolume },
  ],
  [
    "the engine is restarted",
    /Nothing to do: all hosts match the manifest/,
    { containerd: onContainerd.restart, podman: NO_DAEMON, rkt: NO_DAEMON },
  ],
  [
    "what watches its process is killed",
    /it ended|it was killed|conmon, which watches it, is gone|its supervisor is gone/,
    {
      containerd: onContainerd.killShim,
      podman: onPodman.killMonitor,
      rkt: onRkt.killSupervisor,
    },
  ],
  [
    "the host is rebooted",
    /! db +start, because it ended[\s\S]*! other +start, because it ended/,
    { containerd: onContainerd.reboot, podman: onPodman.reboot, rkt: onRkt.reboot },
  ],
];

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `drift on ${kind}`, (engine) => {
    let fleet: MachineFleet;
    let manifest: FleetManifest;
    let dir = "";

    beforeAll(async () => {
      // one that may be killed
      const own = kind === "containerd" ? await startTemporaryContainerd() : undefined;
      dir = own?.dir ?? "";
      fleet = new MachineFleet((places) =>
        openLab(kind, { address: own?.address ?? engine.address, isDouble: false }, places),
      );
      for (const image of ["app:1", "app:2"]) fleet.image(image);
      manifest = fleet.manifest(pods, { networks: { front: {} } });
      await converge();
    });
    afterAll(async () => {
      await fleet[Symbol.asyncDispose]();
      if (dir !== "") await stopPrivateContainerd(dir);
    });

    async function converge(): Promise<void> {
      const { outcomes } = await fleet.apply(manifest);
      expect(outcomes.filter(({ status }) => status !== "done")).toEqual([]);
      const { pods: changes, hostChanges } = await fleet.plan(manifest);
      expect([...changes, ...hostChanges]).toEqual([]);
    }

    async function said(): Promise<string> {
      const made = await fleet.plan(manifest);
      return renderPlan(made, { paint: paintOf(false), columns: undefined, now: new Date() });
    }

    const harmed = LINES.flatMap(([what, sentence, harms]) => {
      const harm = harms[kind];
      return typeof harm === "string" ? [] : [[what, sentence, harm] as const];
    });

    test.each(harmed)(
      "said in a sentence by plan, and mended by apply: %s",
      async (_, sentence, harm) => {
        // one that failed is not the next one's
        await converge();
        await using reading = await fleet.connect().read("here", manifest.hosts["here"] as never);
        const seen = (await reading.engine.observe()).pods.find(({ pod }) => pod === "db");
        const { id = "", pid = 0 } = seen?.containers["main"] ?? {};
        await harm({ fleet, id, pid, dir });
        await expect.poll(said, { timeout: 30_000, interval: 100 }).toMatch(sentence);
        await converge();
        expect(await fleet.pidOf(manifest, "db", "main")).toBeGreaterThan(0);
      },
    );
  });
}
