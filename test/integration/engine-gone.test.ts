import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { describeWithEngine, type ProvidedEngine } from "../set-up/describe-with-engine.ts";
import type { RealEngine } from "../set-up/engine-provision.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { exclusivePod } from "../support/exclusive-pod.ts";
import { RealFleet } from "../support/real-fleet.ts";

type Side = readonly [RealEngine, ProvidedEngine];

describeWithEngine("podman", "an old engine whose program is gone: podman", (podman) => {
  describeWithEngine("rkt", "and rkt", (rkt) => {
    tellLoss(["podman", podman], ["rkt", rkt]);
    tellLoss(["rkt", rkt], ["podman", podman]);
  });
});

function tellLoss([kind, provided]: Side, next: Side): void {
  test(`${kind}: what runs still refuses the plan; what has ended is lost, made anew, and nobody looks for it again`, async () => {
    let program = "";
    const install = () =>
      writeFileSync(program, `#!/bin/sh\nexec ${provided.address} "$@"\n`, { mode: 0o755 });
    await using fleet = new RealFleet((places) => {
      program = join(places.folder, `${kind}-of-then`);
      install();
      return [openLab(kind, { ...provided, address: program }, places), openLab(...next, places)];
    });
    fleet.image("app:1");
    const pods = { db: exclusivePod({ image: "app:1" }) };
    const [old, now] = fleet.labs.map((lab) => fleet.manifestOn(lab as never, pods));
    if (old === undefined || now === undefined) throw new Error("there are two engines");
    expect((await fleet.apply(old)).status).toBe("done");
    const pid = await fleet.pidOf(old, "db", "main");
    rmSync(program);
    try {
      await expect(fleet.plan(now)).rejects.toThrow(
        new RegExp(`last applied in ${kind}, which does not answer: .*still runs: .*db`),
      );
      process.kill(pid, "SIGKILL");
      // what watches it ends after it
      const plan = await vi.waitFor(() => fleet.plan(now), { timeout: 30_000, interval: 200 });
      expect(plan.pods).toMatchObject([{ action: "create" }]);
      expect(plan.warnings).toMatchObject([
        expect.stringContaining("these pods are lost with it: db"),
      ]);
      expect((await fleet.apply(now)).status).toBe("done");
      const { pods: left, hostChanges, warnings } = await fleet.plan(now);
      expect({ left, hostChanges, warnings }).toEqual({ left: [], hostChanges: [], warnings: [] });
    } finally {
      install();
    }
  }, 120_000);
}
