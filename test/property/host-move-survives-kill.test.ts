import { expect, test } from "vitest";
import type { SimFault } from "../../src/engines/sim/index.ts";
import { FleetManifest, MANIFEST_VERSION, parseHistory } from "../../src/model/index.ts";
import { endState, expectConverged, runKilled } from "../support/killed-apply.ts";
import { IMAGES, makeLayout, type SimulatedHosts } from "../support/simulated-hosts.ts";

type Pods = Readonly<Record<string, object>>;

const manifest = (h1: Pods, h2: Pods): FleetManifest =>
  FleetManifest.parse({
    version: MANIFEST_VERSION,
    name: "shop",
    id: "owner-1",
    images: Object.fromEntries(IMAGES.map((reference) => [reference, { layout: "layout" }])),
    hosts: {
      h1: { address: "ssh://one.test", engine: { kind: "sim" }, pods: h1 },
      h2: { address: "ssh://two.test", engine: { kind: "sim" }, pods: h2 },
    },
  });

/** A pod that others depend on, and one that does. */
const pods = (image: string, db: object, mounts: readonly object[]): Pods => ({
  db: { containers: { main: { image, ...(mounts.length === 0 ? {} : { mounts }) } }, ...db },
  web: { containers: { main: { image } }, dependsOn: ["db"] },
});
const SHARED = { volumes: { data: { kind: "bind", path: "/srv" } } };

/** Numbers of the old records of each pod on a host, and where they were applied. */
function histories(hosts: SimulatedHosts, host: string): readonly string[] {
  return hosts.machine(host).read(({ files }) =>
    Object.entries(files).flatMap(([path, { text = "" }]) => {
      const reading = path.includes("/.history/") ? parseHistory(text) : undefined;
      if (reading?.kind !== "read") return [];
      const { pod, records } = reading.value;
      return [`${pod} ${records.map(({ number, host: at }) => `${number} ${at}`).join(", ")}`];
    }),
  );
}

test.each([
  ["whose old one waits for the new one", {}, []],
  ["whose old one goes first", SHARED, [{ volume: "data", path: "/data" }]],
])(
  "a move to another host, of pods of one %s, ends at any kill where an undisturbed one does, with all records",
  async (_, db, mounts) => {
    await using layout = await makeLayout();
    const first = manifest(pods("app:1", db, mounts), {});
    const between = async (hosts: SimulatedHosts): Promise<void> => {
      await hosts.apply(manifest(pods("app:2", db, mounts), {}));
    };
    const moved = manifest({}, pods("app:2", db, mounts));
    const run = (fault?: SimFault) => runKilled(layout.path, [first, moved], fault, {}, between);
    const clean = await run();
    await expectConverged(clean.hosts, moved);
    const expected = ["h1", "h2"].map((host) => endState(clean.hosts.machine(host)));
    const records = ["db 1 h1, 2 h1", "web 1 h1, 2 h1"];
    expect(histories(clean.hosts, "h2").toSorted()).toEqual(records);
    expect(histories(clean.hosts, "h1")).toEqual([]);
    expect(clean.writes).toBeGreaterThan(15);
    for (const phase of ["before", "during", "after"] as const) {
      for (let nth = 1; nth <= clean.writes; nth += 1) {
        const where = `killed ${phase} write ${nth}`;
        const { hosts } = await run({ access: "write", nth, phase, effect: "kill" });
        const ended = ["h1", "h2"].map((host) => endState(hosts.machine(host)));
        expect(ended, where).toEqual(expected);
        expect(histories(hosts, "h2").toSorted(), where).toEqual(records);
        await expectConverged(hosts, moved);
      }
    }
  },
);
