import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stopPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import { startTemporaryContainerd } from "../../scripts/lib/temporary-containerd.ts";
import {
  conformanceNamespace,
  containerdFixture,
} from "../conformance/support/containerd-fixture.ts";
import { EngineUnderTest, SERVER } from "../conformance/support/engine-under-test.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";

const run = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL" };

describeWithEngine("containerd", "a containerd that was killed in its middle", (containerd) => {
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

  test("the empty cgroup of a runtime that was killed early goes with its container", async () => {
    const namespace = conformanceNamespace();
    const fixture = containerdFixture(
      () => containerd.address,
      () => namespace,
    );
    const engine = await EngineUnderTest.open(fixture);
    const pod = await engine.prepared({ main: SERVER });
    const { id } = await engine.container(pod);
    // its task goes as with a runtime that was killed before it had made one
    const task = ["tasks", "rm", "--force", id];
    execFileSync("ctr", ["-a", containerd.address, "-n", namespace, ...task]);
    const root = existsSync("/sys/fs/cgroup/pids") ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup";
    const cgroup = join(root, namespace, id);
    expect(existsSync(cgroup)).toBe(false);
    mkdirSync(cgroup, { recursive: true });
    await engine.engine.remove(pod.identity);
    expect(existsSync(cgroup)).toBe(false);
    await engine.cleanUp();
    await engine.opened.close();
    rmdirSync(join(root, namespace));
  });
});
