import { expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

const RKT = {
  security: { privileged: true, seccomp: "unconfined", noNewPrivileges: false, unmaskPaths: true },
};

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `what counts as started on ${kind}`, (engine) => {
    const pod = (script: string, more: object = {}, container: object = {}) => ({
      containers: {
        main: {
          image: "app:1",
          command: ["/bin/sh", "-c", script],
          stopSignal: "SIGKILL",
          ...(kind === "rkt" ? RKT : {}),
          ...container,
        },
      },
      ...more,
    });

    test("what ends moments after its start has failed, and what comes after a completed pod starts after its end", async () => {
      await using fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
      fleet.image("app:1");
      const data = {
        volumes: { data: { kind: "named", name: "handed-over" } },
        restart: { policy: "on-failure" },
      };
      const mount = { mounts: [{ volume: "data", path: "/data" }] };
      const manifest = (delay: number, bad: string) =>
        fleet.manifest({
          bad: pod(bad),
          job: pod(`sleep ${delay}; echo done > /data/result`, data, mount),
          web: pod(
            "test -f /data/result || exit 9; sleep 100000",
            { ...data, dependsOn: ["job:completed"] },
            mount,
          ),
        });
      const first = manifest(1, "sleep 0.1; exit 3");
      const { status, outcomes } = await fleet.apply(first, { settleMs: 2000 });
      const of = (name: string) => outcomes.find((each) => each.pod === name);
      expect(status).toBe("failed");
      expect(of("bad")).toMatchObject({ status: "failed", failedStep: "wait-healthy" });
      expect(of("bad")?.reason).toContain("it ended with exit code 3");
      expect([of("job")?.status, of("web")?.status]).toEqual(["done", "done"]);

      const mended = manifest(1, "sleep 100000");
      expect((await fleet.apply(mended, { settleMs: 200 })).status).toBe("done");
      const plan = await fleet.plan(mended);
      expect(plan.pods).toEqual([]);
      expect(plan.hosts.flatMap(({ ended }) => ended ?? [])).toEqual(["job/main"]);
    }, 180_000);
  });
}
