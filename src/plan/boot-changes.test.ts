import { expect, test } from "vitest";
import { fleet, host, input, OWNER } from "../../test/support/plan-world.ts";
import { type BootUnit, bootUnitName, bootUnitText } from "../model/index.ts";
import { plan } from "./index.ts";

/** The units that are taken away of a machine that has one of this. */
function removed(change: Partial<BootUnit>): readonly string[] {
  const program = ["/usr/bin/stowage"];
  const directories = { stateDir: "/var/lib/stowage", runDir: "/run/stowage" };
  const unit = { owner: OWNER, fleet: "shop", host: "old", ...directories, program, ...change };
  const seen = { text: bootUnitText(unit), enabled: true, runs: true, says: unit };
  const boot = { program, units: new Map([[bootUnitName(unit), seen]]) };
  const { hostChanges } = plan(input(fleet({}), host({ boot })));
  return hostChanges.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "remove-unit" ? [step.name] : [])),
  );
}

test("plan() takes the unit away that was made under another name of the host, and no other's", () => {
  expect(removed({})).toHaveLength(1);
  expect(removed({ stateDir: "/data/stowage" })).toEqual([]);
  expect(removed({ owner: "somebody" })).toEqual([]);
  expect(removed({ fleet: "store" })).toEqual([]);
});
