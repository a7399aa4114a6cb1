import { expect, test } from "vitest";
import type { FleetManifest } from "../../src/model/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import type { EngineLab, Traces } from "../support/engines/engine-lab.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

const run = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL" };

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `two fleets on one ${kind}`, (engine) => {
    test("with state directories of their own neither touches what the other has, though it comes and goes", async () => {
      await using first = new RealFleet((places) => [openLab(kind, engine, places)]);
      await using second = new RealFleet<EngineLab>(() => first.labs);
      for (const fleet of [first, second]) fleet.image("app:1");
      const web = { web: { containers: { one: run, two: run } } };
      const own = (pods: Readonly<Record<string, object>>) => first.manifest(pods);
      const other = (pods: Readonly<Record<string, object>>) =>
        second.manifest(pods, { name: "other", id: "owner-2" });
      await expectConverged(first, own(web));
      const alone = await found(first);
      await expectConverged(second, other(web));
      // both have one of the same name, of the same image
      await expectConverged(first, own(web));
      await expectConverged(second, other({}));
      expect(await found(first)).toEqual(alone);
      const { pods, hostChanges } = await first.plan(own(web));
      expect({ pods, hostChanges }).toEqual({ pods: [], hostChanges: [] });
      await expectConverged(first, own({}));
    }, 300_000);

    test("one that is declared with another state directory is told where its pods are", async () => {
      await using first = new RealFleet((places) => [openLab(kind, engine, places)]);
      await using second = new RealFleet<EngineLab>(() => first.labs);
      for (const fleet of [first, second]) fleet.image("app:1");
      const web = { web: { containers: { one: run } } };
      await expectConverged(first, first.manifest(web));
      const said = await second
        .plan(second.manifest(web))
        .then(({ pods, warnings }) => ({ actions: pods.map(({ action }) => action), warnings }))
        .catch(String);
      if (kind === "rkt") {
        expect(said).toContain("pods of the fleet were applied with another stateDir");
      } else {
        const warnings = [expect.stringContaining("holds no records and no volumes of it")];
        expect(said).toEqual({ actions: ["adopt"], warnings });
      }
    }, 300_000);
  });
}

/** All but the trees of rkt's, which its own collector takes away. */
async function found(fleet: RealFleet): Promise<Traces> {
  const { trees: _, ...others } = await fleet.labs[0].traces();
  return others;
}

async function expectConverged(fleet: RealFleet, manifest: FleetManifest): Promise<void> {
  const report = await fleet.apply(manifest);
  expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
  const { pods, hostChanges } = await fleet.plan(manifest);
  expect({ pods, hostChanges }).toEqual({ pods: [], hostChanges: [] });
}
