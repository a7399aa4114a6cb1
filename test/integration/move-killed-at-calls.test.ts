import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetManifest } from "../../src/model/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ApplyProgram } from "../support/apply-program.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";
import { exclusivePod, volumeOf } from "../support/exclusive-pod.ts";

describeWithEngine("containerd", "a move from one containerd to another", (containerd) => {
  const program = new ApplyProgram();
  beforeAll(() => program.build());
  afterAll(() => program[Symbol.dispose]());

  test("killed after every writing call: one running pod, in the right one, data intact, nothing left", async () => {
    await using fleet = new ContainerdFleet(containerd.address);
    await using other = new ContainerdFleet(containerd.address);
    fleet.image("app:1");
    const here = fleet.manifest({ db: exclusivePod({ image: "app:1" }) });
    const engine = { ...fleet.host.engine, namespace: other.namespace };
    const there = fleet.manifest(
      { db: exclusivePod({ image: "app:1" }) },
      { hosts: { here: { ...here.hosts["here"], engine } } },
    );
    const sides = [here, there];
    const files = sides.map((side, index) => fleet.write(`move-${index}`, side));
    const found = async () => {
      const { files: paths, ...own } = await fleet.traces();
      return {
        own,
        paths: paths?.filter((path) => !path.endsWith("/starts")),
        other: await other.traces(),
      };
    };
    const converge = async (side: FleetManifest) => {
      const report = await fleet.apply(side);
      expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
      const { pods, hostChanges } = await fleet.plan(side);
      expect({ pods, hostChanges }).toEqual({ pods: [], hostChanges: [] });
    };
    const expected = [];
    for (const side of [...sides, ...sides]) {
      await converge(side);
      expected.push(await found());
    }
    expect(expected.slice(2)).toEqual(expected.slice(0, 2));
    let [kills, to, isOver] = [0, 0, false];
    for (let nth = 1; !isOver; nth += 1, to = 1 - to) {
      const { ended } = program.start({
        manifest: files[to] as string,
        kill: { nth, phase: "after" },
      });
      const { signal } = await ended;
      isOver = signal !== "SIGKILL";
      if (!isOver) kills += 1;
      await converge(sides[to] as FleetManifest);
      expect(await found(), `killed after call ${nth}`).toEqual(expected[to]);
    }
    expect(kills).toBeGreaterThan(8);
    // every process got the lock on the data, and none met another one
    expect(volumeOf(fleet)).toMatchObject({ witness: "" });
    expect(volumeOf(fleet).starts).toBeGreaterThan(kills);
  }, 600_000);
});
