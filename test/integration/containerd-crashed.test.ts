import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stopPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import { startTemporaryContainerd } from "../../scripts/lib/temporary-containerd.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";

const run = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL" };

describeWithEngine("containerd", "a containerd that was killed in its middle", () => {
  test("directories of snapshots that it has no record of are in nobody's way", async () => {
    const { dir, address } = await startTemporaryContainerd();
    try {
      await using fleet = new ContainerdFleet(address);
      fleet.image("app:1");
      const manifest = fleet.manifest({ web: { containers: { main: { ...run, user: "root" } } } });
      // it has moved the directory to its place, and dies before it writes that down
      const snapshots = join(dir, "root/io.containerd.snapshotter.v1.overlayfs/snapshots");
      mkdirSync(snapshots, { recursive: true });
      const occupy = (): void => {
        const last = Math.max(0, ...readdirSync(snapshots).map(Number).filter(Number.isFinite));
        for (let next = last + 1; next < last + 4; next += 1)
          mkdirSync(join(snapshots, `${next}/fs`), { recursive: true });
      };
      const changed = { ...run, user: "root", env: { A: "b" } };
      const other = fleet.manifest({ web: { containers: { main: changed } } });
      for (const declared of [manifest, other]) {
        occupy();
        const { outcomes } = await fleet.apply(declared);
        expect(outcomes.filter(({ status }) => status !== "done")).toEqual([]);
      }
    } finally {
      await stopPrivateContainerd(dir);
    }
  });
});
