import { join } from "node:path";
import { expect, test } from "vitest";
import type { FleetManifest, HostSpec } from "../../src/model/index.ts";
import { type ApplyEvent, readPodRecords } from "../../src/reconcile/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

type Pods = Readonly<Record<string, object>>;

describeWithEngine("containerd", "pods that move to another host", (containerd) => {
  describeWithEngine("podman", "from containerd to podman", (podman) => {
    /** Two hosts of one machine, each with its engine and directories. */
    function openHosts() {
      const fleet = new RealFleet((places) => [
        openLab("containerd", containerd, places),
        openLab("podman", podman, places),
      ]);
      const at = (name: string, lab: 0 | 1, pods: Pods) => ({
        address: "local",
        engine: (fleet.labs[lab] ?? fleet.labs[0]).config,
        stateDir: join(fleet.folder, name),
        runDir: join(fleet.folder, `run-${name}`),
        pods,
      });
      const on = (here: Pods, there: Pods): FleetManifest =>
        fleet.manifest({}, { hosts: { here: at("here", 0, here), there: at("there", 1, there) } });
      return { fleet, on };
    }

    const pod = (script: string, dependsOn: readonly string[] = []) => ({
      containers: {
        main: { image: "app:1", command: ["/bin/sh", "-c", script], stopSignal: "SIGKILL" },
      },
      ...(dependsOn.length === 0 ? {} : { dependsOn }),
    });
    const STAYS = "sleep 100000";

    test("end in the reverse order of their starts, and none before what it has is proven elsewhere", async () => {
      const { fleet, on } = openHosts();
      await using _ = fleet;
      await using _ends = {
        [Symbol.asyncDispose]: async () => void (await fleet.apply(on({}, {}))),
      };
      fleet.image("app:1");
      const both = { db: pod(STAYS), web: pod(STAYS, ["db"]) };
      expect((await fleet.apply(on(both, {}))).status).toBe("done");
      // the new web cannot run: the old one goes on, and so does the db that it has
      const broken = on({}, { db: pod(STAYS), web: pod("exit 3", ["db"]) });
      const { outcomes } = await fleet.apply(broken, { settleMs: 1_000 });
      const failed = outcomes.filter((each) => each.pod !== undefined && each.status !== "done");
      expect(failed.map(({ id, status }) => `${id} ${status}`).sort()).toEqual([
        "here/db skipped",
        "here/web skipped",
        "there/web failed",
      ]);
      const events: ApplyEvent[] = [];
      const moved = on({}, both);
      const report = await fleet.apply(moved, { onEvent: (event) => events.push(event) });
      expect(report.status).toBe("done");
      const stops = events.flatMap((event) =>
        event.type === "step-done" && ["stop", "commit"].includes(event.step.kind)
          ? [`${event.id} ${event.step.kind}`]
          : [],
      );
      expect(stops.slice(-2)).toEqual(["here/web stop", "here/db stop"]);
      expect(stops.indexOf("there/web commit")).toBeLessThan(stops.indexOf("here/web stop"));
      expect((await fleet.plan(moved)).pods).toEqual([]);
      // what was applied to it before is known there, and it can go back to it
      const spec = moved.hosts["there"] as HostSpec;
      await using reading = await fleet.connect().read("there", spec);
      const { signal } = new AbortController();
      const records = (await readPodRecords(reading.host, moved, spec, signal)).get("web") ?? [];
      expect(records.map(({ number, host, isCurrent }) => [number, host, isCurrent])).toEqual([
        [2, undefined, true],
        [1, "here", false],
      ]);
    }, 180_000);
  });
});
