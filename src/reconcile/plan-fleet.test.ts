import { expect, onTestFinished, test } from "vitest";
import { podOf, SimFleet } from "../../test/support/sim-fleet.ts";
import type { Connector } from "./index.ts";

test("a plan closes the way to a host as soon as it has looked at it", async () => {
  const fleet = new SimFleet();
  onTestFinished(() => fleet[Symbol.dispose]());
  const names = ["a", "b", "c", "d", "e", "f"];
  const manifest = fleet.manifest(
    Object.fromEntries(names.map((name) => [name, { one: podOf() }])),
  );
  await fleet.apply(manifest);
  const open = new Set<string>();
  let most = 0;
  const read: Connector["read"] = async (name, spec, signal) => {
    const reading = await fleet.connector.read(name, spec, signal);
    open.add(name);
    most = Math.max(most, open.size);
    return { ...reading, [Symbol.asyncDispose]: async () => void open.delete(name) };
  };
  const { plan } = await fleet.plan(manifest, { connector: { read }, parallelism: 2 });
  expect(plan.pods).toEqual([]);
  expect({ most, left: [...open] }).toEqual({ most: 2, left: [] });
});

test("a plan that is made while an apply is at work says whose it is; its own plan does not", async () => {
  const fleet = new SimFleet();
  onTestFinished(() => fleet[Symbol.dispose]());
  const manifest = fleet.manifest({ alpha: { one: podOf() }, beta: { two: podOf() } });
  await fleet.apply(fleet.manifest({ beta: { two: podOf() } }));
  let own: readonly string[] | undefined;
  let meanwhile: readonly string[] | undefined;
  await fleet.apply(fleet.manifest({ alpha: { one: podOf() } }), {
    options: { hosts: ["alpha"] },
    confirm: async ({ warnings }) => {
      own = warnings;
      meanwhile = (await fleet.plan(manifest)).plan.warnings;
      return true;
    },
  });
  expect(own).toEqual([]);
  expect(meanwhile).toEqual([
    expect.stringMatching(
      /^alpha: its lock is held by tester@here \(pid \d+\) since \S+: what this plan shows of it may be in progress/,
    ),
  ]);
  expect((await fleet.plan(manifest)).plan.warnings).toEqual([]);
});
