import { expect, test } from "vitest";
import { podOf } from "../../../test/support/sim-fleet.ts";
import { openFleet } from "../../../test/support/web-service.ts";

const FRONT = { subnet: "10.1.0.0/24" };
const BACK = { subnet: "10.2.0.0/24" };

function declared(fleet: ReturnType<typeof openFleet>, front: typeof FRONT, back: typeof BACK) {
  const inside = (name: string, { subnet }: typeof FRONT) =>
    podOf({}, { network: { mode: "bridge", name, subnet } });
  return fleet.manifest(
    { a: { web: inside("front", front), db: inside("back", back) } },
    { networks: { front, back } },
  );
}

test("subnets that networks of a simulated host have are taken, as on the engines: swapped ones are refused", async () => {
  const fleet = openFleet();
  await fleet.apply(declared(fleet, FRONT, BACK));
  expect((await fleet.plan(declared(fleet, FRONT, BACK))).plan.pods).toEqual([]);
  await expect(fleet.plan(declared(fleet, BACK, FRONT))).rejects.toThrow(
    /10\.2\.0\.0\/24 overlaps with 10\.2\.0\.0\/24 \(network "back" of fleet "shop"\) on host a/,
  );
});

test("a subnet that overlaps one of another fleet's, or the network's own former one, is refused on a simulated host", async () => {
  const fleet = openFleet();
  await fleet.apply(declared(fleet, FRONT, BACK));
  const wider = { subnet: "10.1.0.0/16" };
  await expect(fleet.plan(declared(fleet, wider, BACK))).rejects.toThrow(/10\.1\.0\.0\/24/);
  const other = { ...declared(fleet, wider, { subnet: "10.9.0.0/24" }), name: "other", id: "them" };
  await expect(fleet.plan(other)).rejects.toThrow(/network "front" of fleet "shop"/);
  const free = { subnet: "10.3.0.0/24" };
  expect((await fleet.apply(declared(fleet, free, BACK))).status).toBe("done");
});
