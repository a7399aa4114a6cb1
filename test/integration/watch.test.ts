import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createConnector } from "../../src/cli/connector.ts";
import type { FleetManifest, ObservedContainer } from "../../src/model/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { processesNaming } from "../support/engines/look-around.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";
import { WatchProcess } from "../support/watch-process.ts";

const folder = mkdtempSync(join(tmpdir(), "stw-watch-"));
let cli = "";
beforeAll(async () => {
  cli = await buildOwnCli(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ALWAYS = { policy: "always" } as const;
const RKT = {
  security: { privileged: true, seccomp: "unconfined", noNewPrivileges: false, unmaskPaths: true },
};

const PROBE = {
  kind: "exec",
  command: ["/bin/sh", "-c", "test -f /tmp/ok"],
  intervalMs: 100,
  timeoutMs: 10_000,
  retries: 2,
  startPeriodMs: 20_000,
  whenUnhealthy: "restart",
} as const;

for (const kind of ["containerd", "podman", "rkt"] as const) {
  // podman starts again by itself what its policy wants, without pauses
  const byEngine = kind === "podman";

  describeWithEngine(kind, `stowage watch on ${kind}`, (engine) => {
    test("what is killed runs again, what flaps is held back, and a new manifest is taken over", async () => {
      await using fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
      for (const image of ["app:1", "app:2"]) fleet.image(image);
      const pod = (image: string, script: string, restart: object, health?: object) => ({
        containers: {
          main: {
            image,
            ...(health === undefined ? {} : { health }),
            command: ["/bin/sh", "-c", script],
            stopSignal: "SIGKILL",
            ...(kind === "rkt" ? RKT : {}),
          },
        },
        restart,
      });
      const manifest = (image: string): FleetManifest =>
        fleet.manifest({
          web: pod(image, "sleep 100000", ALWAYS),
          sick: pod("app:1", "touch /tmp/ok; sleep 100000", ALWAYS, PROBE),
          bad: pod(
            "app:1",
            "sleep 1; exit 3",
            byEngine ? { policy: "on-failure", maxRetries: 2 } : ALWAYS,
          ),
        });
      const file = fleet.write("shop", manifest("app:1"));
      expect((await fleet.apply(manifest("app:1"))).status).toBe("done");
      const web = () => containerOf(manifest("app:1"), "web");

      await using watch = new WatchProcess(
        cli,
        ...["-f", file, "--metrics-port", "0", "--interval", "500ms", "--probe-interval", "500ms"],
      );
      expect((await watch.told("listening")).by).toBe(kind === "rkt" ? "interval" : "events");
      await watch.told("pass");

      const before = await web();
      process.kill(before?.pid as number, "SIGKILL");
      await watch.until(async () => {
        const found = await web();
        const isAnother = found?.pid !== undefined && found.pid !== before?.pid;
        return (isAnother && found.state === "running" && found.restarts === 1) || undefined;
      });
      if (byEngine) {
        await watch.told("heard", ({ event }) => event.kind === "ended");
        expect(watch.of("changed").filter(({ outcome }) => outcome.pod === "web")).toEqual([]);
      } else {
        const { isRestart, outcome } = await watch.told(
          "changed",
          ({ outcome: { pod: name } }) => name === "web",
        );
        expect([isRestart, outcome.status]).toEqual([true, "done"]);
      }

      if (byEngine) {
        expect((await watch.told("left")).reason).toMatch(/started again 2 times/);
      } else {
        await watch.told("backing-off", ({ tries }) => tries === 3);
        const pauses = watch.of("backing-off").map(({ pauseMs }) => pauseMs);
        expect(pauses.slice(0, 2)).toEqual([2000, 4000]);
      }

      const well = await containerOf(manifest("app:1"), "sick");
      rmSync(`/proc/${well?.pid}/root/tmp/ok`);
      expect(await watch.told("unhealthy")).toMatchObject({ id: "here/sick", tries: 2 });
      const { outcome: mended } = await watch.told(
        "changed",
        ({ outcome }) => outcome.pod === "sick" && outcome.status === "done",
      );
      expect(mended.action).toBe("restart");
      const again = await containerOf(manifest("app:1"), "sick");
      expect(again).toMatchObject({ state: "running", restarts: 1 });
      expect(again?.pid).not.toBe(well?.pid);

      writeFileSync(file, "{ broken");
      await watch.told("declaration-broken");
      fleet.write("shop", manifest("app:2"));
      await watch.told("changed", ({ outcome }) => outcome.action === "replace");
      expect((await web())?.image.reference).toMatch(/app:2$/);

      expect(await watch.get("/healthz")).toEqual({ status: 200, text: "ok\n" });
      const { text } = await watch.get("/metrics");
      expect(text).toContain(
        'stowage_watch_changes_total{fleet="shop",action="replace",status="done"} 1',
      );
      expect(await watch.stop()).toBe(0);
      // what listened to the engine went with it
      expect(processesNaming(fleet.folder).filter((argv) => argv.includes(" events "))).toEqual([]);
      expect((await fleet.plan(manifest("app:2"))).pods.map(({ id }) => id)).not.toContain(
        "here/web",
      );
    }, 180_000);
  });
}

async function containerOf(
  manifest: FleetManifest,
  pod: string,
): Promise<ObservedContainer | undefined> {
  const spec = manifest.hosts["here"];
  if (spec === undefined) throw new Error("There is one host");
  await using reading = await createConnector().read("here", spec);
  const { pods } = await reading.engine.observe({ podsOnly: true });
  return pods.findLast((each) => each.pod === pod)?.containers["main"];
}
