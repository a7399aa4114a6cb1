import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";
import { killShim } from "../support/kill-shim.ts";

const run = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL" };

describeWithEngine("containerd", "a shim of containerd that was killed", (containerd) => {
  test("leaves its socket, which goes with the pod", async () => {
    await using fleet = new ContainerdFleet(containerd.address);
    fleet.image("app:1");
    await fleet.apply(fleet.manifest({ web: { containers: { main: run } } }));
    const id = fleet.ctr("tasks", "ls", "-q").trim();
    const name = createHash("sha256").update(`${containerd.address}/${fleet.namespace}/${id}`);
    const socket = `/run/containerd/s/${name.digest("hex")}`;
    killShim(fleet.namespace, id);
    await expect
      .poll(() => fleet.ctr("tasks", "ls", "-q").trim(), { interval: 20, timeout: 30_000 })
      .toBe("");
    expect(existsSync(socket)).toBe(true);
    const { outcomes } = await fleet.apply(fleet.manifest({}));
    expect(outcomes.filter(({ status }) => status !== "done")).toEqual([]);
    expect(existsSync(socket)).toBe(false);
  });
});
