import fc from "fast-check";
import { expect, test } from "vitest";
import type { FleetManifest } from "../../src/model/index.ts";
import { isConverged } from "../../src/plan/index.ts";
import { fleets } from "../support/arbitrary-fleet.ts";
import { makeLayout, SimulatedHosts } from "../support/simulated-hosts.ts";

/** Pods that trade ports have to be applied one after the other; the plan says so. */
async function converge(sim: SimulatedHosts, manifest: FleetManifest): Promise<void> {
  const report = await sim.apply(manifest);
  const problems = report.outcomes.filter(({ status }) => status !== "done");
  expect(problems).toEqual([]);
  const plan = await sim.plan(manifest);
  expect({ pods: plan.pods, hostChanges: plan.hostChanges }).toEqual({ pods: [], hostChanges: [] });
  expect(isConverged(plan)).toBe(true);
}

test("a fleet is converged after its first apply", async () => {
  await using layout = await makeLayout();
  await fc.assert(
    fc.asyncProperty(fleets, async (manifest) => {
      await converge(new SimulatedHosts(layout.path), manifest);
    }),
    { numRuns: 60 },
  );
});

test("a fleet is converged after any change of its declaration", async () => {
  await using layout = await makeLayout();
  await fc.assert(
    fc.asyncProperty(fleets, fleets, async (before, after) => {
      const sim = new SimulatedHosts(layout.path);
      await converge(sim, before);
      await fc.pre(!(await trades(sim, after)));
      await converge(sim, after);
    }),
    { numRuns: 60 },
  );
});

async function trades(sim: SimulatedHosts, manifest: FleetManifest): Promise<boolean> {
  try {
    await sim.plan(manifest);
    return false;
  } catch (error) {
    if (error instanceof Error && error.message.includes("wait for each other")) return true;
    throw error;
  }
}
