import { execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetManifest } from "../../src/model/index.ts";
import type { ApplyEvent, ApplyReport } from "../../src/reconcile/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ApplyProgram } from "../support/apply-program.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";
import { exclusivePod, SLOW_TO_END, volumeOf } from "../support/exclusive-pod.ts";
import { freePort } from "../support/free-port.ts";
import { hostListing } from "../support/host-listing.ts";
import { killShim } from "../support/kill-shim.ts";

const program = new ApplyProgram();
const IMAGES = ["app:1", "app:2"] as const;
/** A process that runs has not yet done its first deed. */
const SOON = { timeout: 10_000 };

async function applyAll(fleet: ContainerdFleet, manifest: FleetManifest): Promise<ApplyReport> {
  const report = await fleet.apply(manifest);
  expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
  return report;
}

async function expectConverged(fleet: ContainerdFleet, manifest: FleetManifest): Promise<void> {
  const { pods, hostChanges } = await fleet.plan(manifest);
  expect({ pods, hostChanges }).toEqual({ pods: [], hostChanges: [] });
}

function actionsOf({ outcomes }: ApplyReport): readonly string[] {
  return outcomes.filter(({ pod }) => pod !== undefined).map(({ action }) => action);
}

describeWithEngine(
  "containerd",
  "what must hold on containerd while things change",
  (containerd) => {
    beforeAll(() => program.build());
    afterAll(() => program[Symbol.dispose]());

    function openFleet(): ContainerdFleet {
      const fleet = new ContainerdFleet(containerd.address);
      for (const image of IMAGES) fleet.image(image);
      return fleet;
    }

    test("a second process on a locked volume is seen: the witness of the tests below works", async () => {
      await using fleet = openFleet();
      const side = (image: string) =>
        fleet.manifest({ db: exclusivePod({ image, pod: { replacement: "start-first" } }) });
      await applyAll(fleet, side("app:1"));
      await fleet.apply(side("app:2"));
      expect(volumeOf(fleet)).toEqual({ starts: 1, witness: "db: a second one\n" });
    });

    test.each([
      ["ends at once", {}],
      ["keeps its lock for a while after it was asked to end", SLOW_TO_END],
    ] as const)(
      "no change lets two processes have a volume that %s",
      async (_, kind) => {
        await using fleet = openFleet();
        const side = (image: string, container: object = {}, work = "") =>
          fleet.manifest({
            db: exclusivePod({
              image,
              ...kind,
              ...(work === "" ? {} : { work }),
              container: { ...("container" in kind ? kind.container : {}), ...container },
            }),
          });
        let starts = 0;
        const expectAlone = async (started: number) => {
          starts += started;
          await expect.poll(() => volumeOf(fleet), SOON).toEqual({ starts, witness: "" });
        };
        const change = async (manifest: FleetManifest, action: string, started: number) => {
          expect(actionsOf(await applyAll(fleet, manifest))).toEqual([action]);
          await expectConverged(fleet, manifest);
          await expectAlone(started);
        };
        const rollBack = async (manifest: FleetManifest, started: number) => {
          const { outcomes } = await fleet.apply(manifest);
          expect(outcomes).toContainEqual(
            expect.objectContaining({ pod: "db", status: "rolled-back" }),
          );
          await expectAlone(started);
        };
        await change(side("app:1"), "create", 1);
        await change(side("app:2"), "replace", 1);
        await change(side("app:2", { oomScoreAdj: 5 }), "restart", 1);
        const live = { oomScoreAdj: 5, resources: { memoryBytes: 64 * 1024 * 1024 } };
        await change(side("app:2", live), "update", 0);
        const probe = (...command: readonly string[]) => ({
          health: { kind: "exec", command, intervalMs: 10, retries: 2 },
        });
        await rollBack(side("app:1", { ...live, ...probe("false") }), 2);
        await rollBack(side("app:1", { ...live, ...probe("true") }, "exit 3"), 2);
        await rollBack(side("app:2", { ...live, oomScoreAdj: 6, ...probe("false") }), 2);
        await change(side("app:1", live), "replace", 1);
        killTask(fleet, "db");
        await change(side("app:1", live), "start", 1);
        killTask(fleet, "db");
        await change(side("app:2", live), "replace", 1);
      },
      300_000,
    );

    test("an apply that is killed and one that follows never let two processes have the volume", async () => {
      await using fleet = openFleet();
      const sides = IMAGES.map((image, index) =>
        fleet.manifest({ db: exclusivePod({ image, container: { oomScoreAdj: index } }) }),
      );
      const files = sides.map((side, index) => fleet.write(`side-${index}`, side));
      await applyAll(fleet, sides[0] as FleetManifest);
      let kills = 0;
      for (let nth = 3, to = 1; ; nth += 1) {
        const phase = nth % 2 === 0 ? "before" : "after";
        const { ended } = program.start({ manifest: files[to] as string, kill: { nth, phase } });
        const { signal, exitCode } = await ended;
        await applyAll(fleet, sides[to] as FleetManifest);
        await expectConverged(fleet, sides[to] as FleetManifest);
        expect(volumeOf(fleet).witness, `killed ${phase} call ${nth}`).toBe("");
        to = 1 - to;
        if (signal !== "SIGKILL") {
          expect(exitCode).toBe(0);
          break;
        }
        kills += 1;
      }
      expect(kills).toBeGreaterThan(8);
      expect(volumeOf(fleet).starts).toBeGreaterThan(kills);
    }, 600_000);

    test("a shim killed behind its back lets no second process have the volume either", async () => {
      await using fleet = openFleet();
      const manifest = fleet.manifest({ db: exclusivePod({ image: "app:1" }) });
      for (let starts = 1; starts <= 6; starts += 1) {
        await applyAll(fleet, manifest);
        await expectConverged(fleet, manifest);
        await expect.poll(() => volumeOf(fleet), SOON).toEqual({ starts, witness: "" });
        const [id] = fleet.ctr("tasks", "ls", "-q").trim().split("\n");
        killShim(fleet.namespace, id as string);
        // containerd is still at ending what the shim held, or done with it
        await delay(starts * 20);
      }
    });

    test.each([["no probe"], ["an http probe"], ["a tcp probe"]])(
      "with %s, a host port answers from the new generation while the old one is still there, and back",
      async (kind) => {
        await using fleet = openFleet();
        const port = await freePort();
        const health = {
          "no probe": undefined,
          "an http probe": { kind: "http", port, path: "/name", intervalMs: 50 },
          "a tcp probe": { kind: "tcp", port, intervalMs: 50 },
        }[kind];
        const side = (image: string) =>
          fleet.manifest({
            web: {
              network: { mode: "host" },
              ports: [{ host: port }],
              containers: {
                main: {
                  image,
                  command: ["httpd", "-f", "-p", String(port), "-h", "/"],
                  stopSignal: "SIGKILL",
                  ...(health === undefined ? {} : { health }),
                },
              },
            },
          });
        await applyAll(fleet, side("app:1"));
        for (const image of ["app:2", "app:1", "app:2"]) {
          const seen: object[] = [];
          const onEvent = (event: ApplyEvent) => {
            if (event.type !== "step-done" || event.step.kind !== "wait-healthy") return;
            // nothing of the apply goes on while these run
            seen.push({
              page: fetchPage(port, kind === "no probe"),
              old: generations(fleet, "web"),
            });
          };
          const report = await fleet.apply(side(image), { onEvent });
          expect(report.status).toBe("done");
          expect(seen).toEqual([{ page: image, old: 2 }]);
          expect(fetchPage(port, false)).toBe(image);
          expect(generations(fleet, "web")).toBe(1);
          await expectConverged(fleet, side(image));
        }
      },
    );

    test("the second of two applies is refused and told who is at it", async () => {
      await using fleet = openFleet();
      const side = (image: string) => fleet.manifest({ db: exclusivePod({ image }) });
      await applyAll(fleet, side("app:1"));
      const refused: Promise<unknown>[] = [];
      const order = { manifest: fleet.write("ann", side("app:2")), appliedBy: "ann@desk" };
      const first = program.start(order, (event, process) => {
        if (event.type !== "step-started" || refused.length > 0) return;
        process.kill("SIGSTOP");
        const second = program.start({
          manifest: fleet.write("bob", fleet.manifest({})),
          appliedBy: "bob@lap",
          lockTimeoutMs: 0,
        });
        refused.push(second.ended.finally(() => process.kill("SIGCONT")));
      });
      expect(await first.ended).toMatchObject({ exitCode: 0, stderr: "" });
      expect(await Promise.all(refused)).toEqual([
        {
          exitCode: 1,
          signal: null,
          events: [],
          stderr: expect.stringMatching(
            `Cannot lock host "here": ann@desk \\(pid ${first.process.pid}\\) since \\S+ holds its lock`,
          ),
        },
      ]);
      await expectConverged(fleet, side("app:2"));
      expect(volumeOf(fleet).witness).toBe("");
    });

    test.each(["prepare", "stop", "start", "wait-healthy", "commit", "remove"] as const)(
      "an apply stopped in %s past the life of its lock writes nothing more when it goes on",
      async (kind) => {
        await using fleet = openFleet();
        // one pod: what another one had just handed to the connection would still be sent
        const side = (image: string, score: number) =>
          fleet.manifest({ db: exclusivePod({ image, container: { oomScoreAdj: score } }) });
        await applyAll(fleet, side("app:1", 1));
        let isStopped = false;
        const first = program.start(
          {
            manifest: fleet.write("first", side("app:2", 2)),
            appliedBy: "first@desk",
            lockLifeMs: 3000,
          },
          (event, process) => {
            if (isStopped || event.type !== "step-started" || event.step.kind !== kind) return;
            isStopped = process.kill("SIGSTOP");
          },
        );
        await expect.poll(() => isStopped, { timeout: 60_000 }).toBe(true);
        const second = side("app:1", 3);
        const report = await fleet.apply(second, {
          appliedBy: "second@desk",
          lockTimeoutMs: 20_000,
        });
        expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
        const [before, traces] = [entriesOf(fleet), await fleet.traces()];
        first.process.kill("SIGCONT");
        const { exitCode, events, stderr } = await first.ended;
        const told = [...events.map((event) => JSON.stringify(event)), stderr].join("\n");
        expect(entriesOf(fleet)).toEqual(before);
        expect(await fleet.traces()).toEqual(traces);
        expect(exitCode).toBe(1);
        expect(told).toMatch(/lost the lock to second@desk \(pid \d+\)/);
        await expectConverged(fleet, second);
        expect(volumeOf(fleet).witness).toBe("");
      },
      300_000,
    );
  },
);

/**
 * What there is on the host, without the times of directories: one that is stopped right before it opens a file of its own beside
 * the one that it is to replace makes it when it goes on, finds that the lock is gone, and takes it away.
 */
function entriesOf(fleet: ContainerdFleet): ReturnType<typeof hostListing> {
  const listing = hostListing(fleet);
  const files = listing["files"]?.map((line) =>
    line.replace(/^(.+ \d+ 16\d{3} \d+) \d+ \d+$/, "$1"),
  );
  return { ...listing, files: files ?? [] };
}

/** Kills the process of a pod's only task behind Stowage's back, and waits until containerd knows. */
function killTask(fleet: ContainerdFleet, pod: string): void {
  const running = () =>
    fleet
      .ctr("tasks", "ls")
      .split("\n")
      .filter((line) => line.startsWith(`stw-${pod}-`) && line.includes("RUNNING"))
      .map((line) => line.split(/\s+/)[0] as string);
  const ids = running();
  expect(ids).toHaveLength(1);
  for (const id of ids) fleet.ctr("tasks", "kill", "-s", "SIGKILL", id);
  while (running().length > 0) execFileSync("sleep", ["0.02"]);
}

function generations(fleet: ContainerdFleet, pod: string): number {
  const ids = fleet.ctr("containers", "ls", "-q").split("\n");
  return ids.filter((id) => id.startsWith(`stw-${pod}-`)).length;
}

/** What answers on a port; `mayStart` tries again while nobody listens yet. */
function fetchPage(port: number, mayStart: boolean): string {
  const url = `http://127.0.0.1:${port}/name`;
  for (let tries = mayStart ? 100 : 1; ; tries -= 1) {
    try {
      return execFileSync("busybox", ["wget", "-q", "-O", "-", url], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    } catch (error) {
      if (tries === 1) throw error;
      execFileSync("sleep", ["0.02"]);
    }
  }
}
