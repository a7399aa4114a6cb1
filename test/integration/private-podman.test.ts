import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { privatePodman } from "../../scripts/lib/private-podman.ts";
import { EngineUnderTest, SERVER } from "../conformance/support/engine-under-test.ts";
import { openPodmanInFolder, podmanFixture } from "../conformance/support/podman-fixture.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";

function cgroupsOf(pod: string): readonly string[] {
  return ["", ...readdirSync("/sys/fs/cgroup")]
    .map((hierarchy) => join("/sys/fs/cgroup", hierarchy, "libpod_parent", pod))
    .filter((path) => existsSync(path));
}

describeWithEngine("podman", "a podman in a folder", (podman) => {
  test("ends what still runs in it, with its cgroups", async () => {
    const opened = await openPodmanInFolder(podman.address);
    try {
      const fixture = podmanFixture(() => podman.address);
      const engine = await EngineUnderTest.open({ ...fixture, open: async () => opened });
      await engine.started({ main: SERVER, beside: SERVER });
      const pod = opened.podman("pod", "ps", "--quiet", "--no-trunc").trim();
      expect(cgroupsOf(pod)).not.toEqual([]);
      privatePodman(opened.folder, podman.address).endContainers();
      expect(cgroupsOf(pod)).toEqual([]);
    } finally {
      await opened.close();
    }
  });
});
