import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";

describeWithEngine("containerd", "mounts of a container on containerd", (containerd) => {
  test("what it mounts stays in it, and what the host mounts in a volume later is seen", async () => {
    const name = `stw-inside-${randomBytes(4).toString("hex")}`;
    await using fleet = new ContainerdFleet(containerd.address);
    fleet.image("app:1");
    const path = join(fleet.folder, "shared");
    mkdirSync(path);
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", path]);
    try {
      execFileSync("mount", ["--make-shared", path]);
      for (const each of ["in", "later"]) mkdirSync(join(path, each));
      const script = `for at in /vol/in /sys/fs/cgroup/* /sys/fs/cgroup; do mount -t tmpfs ${name} $at; done
grep -q ${name} /proc/self/mountinfo && touch /vol/mounted
until [ -e /vol/later/go ]; do sleep 0.05; done
touch /vol/seen
sleep 100000`;
      const main = {
        image: "app:1",
        command: ["sh", "-c", script],
        stopSignal: "SIGKILL",
        security: { privileged: true },
        mounts: [{ volume: "shared", path: "/vol" }],
      };
      const volumes = { shared: { kind: "bind", path } };
      const { status } = await fleet.apply(
        fleet.manifest({ web: { volumes, containers: { main } } }),
      );
      expect(status).toBe("done");
      await expect.poll(() => existsSync(join(path, "mounted")), { timeout: 60_000 }).toBe(true);
      expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(name);
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", join(path, "later")]);
      writeFileSync(join(path, "later/go"), "");
      await expect.poll(() => existsSync(join(path, "seen")), { timeout: 60_000 }).toBe(true);
    } finally {
      execFileSync("umount", ["--recursive", path]);
      for (const line of mountsOf(name)) execFileSync("umount", [line]);
    }
  });
});

/** Where something of this name is mounted on the host. */
function mountsOf(name: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(name))
    .map((line) => line.split(" ")[4] ?? "");
}
