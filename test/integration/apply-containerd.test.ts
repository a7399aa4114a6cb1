import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { build } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import type { FleetManifest } from "../../src/model/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";
import type { ApplyOrder } from "./apply-containerd/apply-process.ts";

/** A first process that is asked to end by a signal that it cannot ignore. */
const run = { command: ["sleep", "100000"], stopSignal: "SIGKILL" };
const data = { volumes: { data: { kind: "named", name: "data" } } };
const mounts = [{ volume: "data", path: "/data" }];

describeWithEngine("containerd", "apply on containerd", (containerd) => {
  let program: string;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "stw-apply-"));
    program = join(folder, "apply-process.mjs");
    await build({
      entryPoints: [join(import.meta.dirname, "apply-containerd/apply-process.ts")],
      outfile: program,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      banner: {
        js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
      },
    });
    return () => rmSync(folder, { recursive: true, force: true });
  });

  /** Runs an apply in a process of its own; `killAfter` ends it that long after a step of a kind began. */
  async function applyKilled(
    order: ApplyOrder,
    killAfter?: { readonly step: string; readonly ms: number },
  ): Promise<boolean> {
    const child = spawn(process.execPath, [program, JSON.stringify(order)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise<boolean>((resolve) => {
      child.once("close", (_, signal) => resolve(signal === "SIGKILL"));
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as {
        readonly type: string;
        readonly step?: { readonly kind: string };
      };
      if (
        killAfter === undefined ||
        event.type !== "step-started" ||
        event.step?.kind !== killAfter.step
      )
        continue;
      await delay(killAfter.ms);
      child.kill("SIGKILL");
    }
    return await ended;
  }

  async function expectConverged(fleet: ContainerdFleet, manifest: FleetManifest): Promise<void> {
    const plan = await fleet.plan(manifest);
    expect({ pods: plan.pods, hostChanges: plan.hostChanges }).toEqual({
      pods: [],
      hostChanges: [],
    });
  }

  async function applyAll(fleet: ContainerdFleet, manifest: FleetManifest): Promise<void> {
    const report = await fleet.apply(manifest);
    expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
  }

  /** Replace in both orders, a live change, a restart, a pod that comes and goes, an image that comes and goes. */
  function story(fleet: ContainerdFleet): readonly [FleetManifest, FleetManifest] {
    const side = (
      image: string,
      pids: number,
      score: number,
      rest: Readonly<Record<string, object>>,
    ) =>
      fleet.manifest({
        db: { ...data, containers: { main: { image, ...run, mounts } } },
        web: { containers: { one: { image, ...run }, two: { image, ...run } } },
        live: {
          containers: {
            main: {
              image: "app:1",
              ...run,
              resources: { pidsMax: pids },
              oomScoreAdj: score,
            },
          },
        },
        ...rest,
      });
    const passing = { containers: { main: { image: "app:1", ...run } } };
    return [side("app:1", 50, 1, { passing }), side("app:2", 60, 2, {})];
  }

  test("killed before and after every writing call, it ends where an undisturbed one does", async () => {
    await using fleet = new ContainerdFleet(containerd.address);
    fleet.image("app:1");
    fleet.image("app:2");
    const sides = story(fleet);
    const expected = [];
    for (const side of sides) {
      await applyAll(fleet, side);
      await expectConverged(fleet, side);
      expected.push(fleet.traces());
    }
    const files = sides.map((side, index) => fleet.write(`side-${index}`, side));
    let killed = 0;
    for (let nth = 1, from = 1; ; nth += 1) {
      let ended = true;
      for (const phase of ["before", "after"] as const) {
        const to = 1 - from;
        ended = await applyKilled({ manifest: files[to] as string, kill: { nth, phase } });
        if (ended) killed += 1;
        await applyAll(fleet, sides[to] as FleetManifest);
        await expectConverged(fleet, sides[to] as FleetManifest);
        expect(fleet.traces(), `killed ${phase} call ${nth}`).toEqual(expected[to]);
        from = to;
      }
      if (!ended) break;
    }
    expect(killed).toBeGreaterThan(40);
  }, 600_000);

  test.each([
    ["prepare", 40, 160],
    ["import-image", 24, 500],
  ] as const)(
    "killed at random instants inside %s, it leaves nothing that the next one does not mend",
    async (step, times, range) => {
      await using fleet = new ContainerdFleet(containerd.address);
      fleet.image("app:1");
      fleet.image("app:2", 4 * 1024 * 1024);
      const sides = story(fleet);
      const expected = [];
      for (const side of sides) {
        await applyAll(fleet, side);
        expected.push(fleet.traces());
      }
      const files = sides.map((side, index) => fleet.write(`side-${index}`, side));
      for (let index = 0; index < times; index += 1) {
        const to = index % 2;
        const ms = Math.random() * range;
        await applyKilled({ manifest: files[to] as string }, { step, ms });
        await applyAll(fleet, sides[to] as FleetManifest);
        await expectConverged(fleet, sides[to] as FleetManifest);
        expect(fleet.traces(), `killed ${ms} ms after ${step} began`).toEqual(expected[to]);
      }
    },
    600_000,
  );
});
