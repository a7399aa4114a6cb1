import { describe, expect, onTestFinished, test } from "vitest";
import { OTHER_IMAGE, podOf, SimFleet } from "../../test/support/sim-fleet.ts";
import type { FleetManifest } from "../model/index.ts";
import { isConverged } from "../plan/index.ts";

const LOCK_LIFE_MS = 30_000;

function openFleet(): SimFleet {
  const fleet = new SimFleet();
  onTestFinished(() => fleet[Symbol.dispose]());
  return fleet;
}

/** Everything on the host that a fleet leaves there, without times and the lock's number. */
function endState(fleet: SimFleet): unknown {
  return fleet.machine().read((state) => ({
    pods: Object.values(state.pods)
      .map(({ identity, containers }) => ({
        pod: identity.pod,
        states: Object.values(containers).map((each) => each.state),
      }))
      .sort((a, b) => (a.pod < b.pod ? -1 : 1)),
    images: Object.entries(state.images)
      .map(([name, { fleets }]) => [name, fleets])
      .sort(),
    leftovers: Object.keys(state.leftovers),
    files: Object.keys(state.files)
      .filter((path) => !path.startsWith("/run/") && !path.includes("/logs/"))
      .sort(),
    locks: Object.keys(state.files).filter((path) => path.includes("/lock/")).length,
  }));
}

async function killAt(
  fleet: SimFleet,
  manifest: FleetManifest,
  nth: number,
  phase: "before" | "during" | "after",
): Promise<boolean> {
  fleet.faults = [{ access: "write", nth, phase, effect: "kill" }];
  const wasKilled = await fleet.apply(manifest).then(
    () => false,
    (error: Error) => {
      expect(error.name).toBe("SimKilled");
      return true;
    },
  );
  fleet.faults = [];
  await fleet.machine().advance(LOCK_LIFE_MS + 1);
  return wasKilled;
}

describe.each(["before", "during", "after"] as const)(
  "an apply that is killed %s any write",
  (phase) => {
    const exclusive = { network: { mode: "host" as const }, ports: [{ host: 8080 }] };
    const volumes = { data: { kind: "named" as const, name: "data" } };
    const stateful = (value: string) =>
      podOf({ env: { VALUE: value }, mounts: [{ volume: "data", path: "/data" }] }, { volumes });

    test("is carried on by the next one to the same end", async () => {
      const first = (fleet: SimFleet) =>
        fleet.manifest({ alpha: { web: podOf({}, exclusive), db: stateful("a"), old: podOf() } });
      const second = (fleet: SimFleet) =>
        fleet.manifest({
          alpha: {
            web: podOf({ image: OTHER_IMAGE }, exclusive),
            db: stateful("b"),
            fresh: podOf(),
          },
        });
      const expected = openFleet();
      await expected.apply(first(expected));
      await expected.apply(second(expected));
      let kills = 0;
      for (let nth = 1; ; nth += 1) {
        const fleet = openFleet();
        await fleet.apply(first(fleet));
        if (!(await killAt(fleet, second(fleet), nth, phase))) {
          if (phase !== "during" || nth > 60) break;
          continue;
        }
        kills += 1;
        const report = await fleet.apply(second(fleet));
        expect([nth, report.outcomes.filter(({ status }) => status !== "done")]).toEqual([nth, []]);
        expect([nth, endState(fleet)]).toEqual([nth, endState(expected)]);
        expect([nth, isConverged((await fleet.plan(second(fleet))).plan)]).toEqual([nth, true]);
      }
      expect(kills).toBeGreaterThan(phase === "during" ? 3 : 20);
    }, 60_000);
  },
);
