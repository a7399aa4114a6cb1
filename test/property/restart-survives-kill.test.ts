import { expect, test } from "vitest";
import { FleetManifest, MANIFEST_VERSION } from "../../src/model/index.ts";
import { endState, expectConverged, runKilled } from "../support/killed-apply.ts";
import { IMAGES, makeLayout } from "../support/simulated-hosts.ts";

const MANIFEST = FleetManifest.parse({
  version: MANIFEST_VERSION,
  name: "shop",
  id: "owner-1",
  images: Object.fromEntries(IMAGES.map((reference) => [reference, { layout: "layout" }])),
  hosts: {
    h1: {
      address: "local",
      engine: { kind: "sim" },
      pods: {
        db: {
          containers: { main: { image: "app:1", mounts: [{ volume: "data", path: "/data" }] } },
          volumes: { data: { kind: "named", name: "data" } },
        },
        web: { containers: { main: { image: "app:1" } }, dependsOn: ["db"] },
      },
    },
  },
});
const RESTART = { hosts: ["h1"], pods: ["db", "web"], restart: ["h1/db", "h1/web"] };

test("a restart that is killed at any writing call is ended by another one, or by an apply", async () => {
  await using layout = await makeLayout();
  const run = (fault?: Parameters<typeof runKilled>[2]) =>
    runKilled(layout.path, [MANIFEST, MANIFEST], fault, RESTART);
  const clean = await run();
  const expected = endState(clean.hosts.machine("h1"));
  expect(clean.writes).toBeGreaterThan(4);
  for (const phase of ["before", "during", "after"] as const) {
    for (let nth = 1; nth <= clean.writes; nth += 1) {
      const { hosts } = await run({ access: "write", nth, phase, effect: "kill" });
      const machine = hosts.machine("h1");
      const message = `killed ${phase} write ${nth}`;
      expect(endState(machine), message).toEqual(expected);
      const numbers = machine.read(({ pods }) =>
        Object.values(pods).map(({ identity }) => identity.generation),
      );
      expect(numbers, message).toEqual([1, 1]);
      await expectConverged(hosts, MANIFEST);
    }
  }
});
