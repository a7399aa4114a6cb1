import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isConverged } from "../../src/plan/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

const RKT = {
  security: { privileged: true, seccomp: "unconfined", noNewPrivileges: false, unmaskPaths: true },
};

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `a restart on ${kind}`, (engine) => {
    const pod = (script: string, more: object = {}) => ({
      containers: {
        main: {
          image: "app:1",
          command: ["/bin/sh", "-c", script],
          stopSignal: "SIGKILL",
          mounts: [{ volume: "data", path: "/data" }],
          ...(kind === "rkt" ? RKT : {}),
        },
      },
      ...more,
    });
    const volume = (name: string) => ({ volumes: { data: { kind: "named", name } } });

    test("gives the named pod a new process in its generation, and its volume stays", async () => {
      await using fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
      fleet.image("app:1");
      const manifest = fleet.manifest({
        web: pod("echo start >> /data/starts; sleep 100000", volume("web-data")),
        other: pod("echo start >> /data/starts; sleep 100000", volume("other-data")),
      });
      expect((await fleet.apply(manifest, { settleMs: 200 })).status).toBe("done");
      const pids = async () => [
        await fleet.pidOf(manifest, "web", "main"),
        await fleet.pidOf(manifest, "other", "main"),
      ];
      const [web, other] = await pids();
      const traces = await fleet.traces();
      const options = { hosts: ["here"], pods: ["web"], restart: ["here/web"] };
      const report = await fleet.apply(manifest, { settleMs: 200, options, command: "restart" });
      expect(report.outcomes).toMatchObject([
        { id: "here/web", action: "restart", status: "done" },
      ]);
      const [newWeb, sameOther] = await pids();
      expect(newWeb).not.toBe(web);
      expect(sameOther).toBe(other);
      expect(report.plan.pods[0]?.to?.generation).toBe(1);
      // the plan sees no other generation, and nothing of it is left or new
      expect(isConverged(await fleet.plan(manifest))).toBe(true);
      expect(Object.keys(await fleet.traces())).toEqual(Object.keys(traces));
      const { stateDir } = fleet.host;
      const starts = (name: string) =>
        readFileSync(join(stateDir, "owner-1/shop/.volumes", name, "starts"), "utf8");
      expect(starts("web-data")).toBe("start\nstart\n");
      expect(starts("other-data")).toBe("start\n");
      expect(readFileSync(join(stateDir, "audit.log"), "utf8")).toContain('"restart"');
    }, 180_000);
  });
}
