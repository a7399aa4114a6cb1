import fc from "fast-check";
import { expect, test } from "vitest";
import {
  attributesOf,
  type FleetManifest,
  type Json,
  type PodIdentity,
  PodSpec,
} from "../../src/model/index.ts";
import { fleets } from "../support/arbitrary-fleet.ts";
import { makeLayout, SimulatedHosts } from "../support/simulated-hosts.ts";

const HOSTS = ["h1", "h2"];

/** All that a plan could have touched on the simulated hosts: what they are, and calls that write. */
function everything(hosts: SimulatedHosts): string {
  return JSON.stringify(
    HOSTS.map((host) => {
      const machine = hosts.machine(host);
      return [machine.counters.writes, machine.read((state) => state)];
    }),
  );
}

/** Containers of a world; only those that run, or all of them. */
function podsOn(
  hosts: SimulatedHosts,
  onlyRunning = false,
): readonly { readonly host: string; readonly of: PodIdentity; readonly container: string }[] {
  return HOSTS.flatMap((host) =>
    hosts.machine(host).read((state) =>
      Object.values(state.pods).flatMap(({ identity, containers }) =>
        Object.entries(containers)
          .filter(([, { state }]) => !onlyRunning || state === "running")
          .map(([container]) => ({ host, of: identity, container })),
      ),
    ),
  );
}

async function expectMended(hosts: SimulatedHosts, manifest: FleetManifest): Promise<void> {
  const report = await hosts.apply(manifest);
  expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
  const plan = await hosts.plan(manifest);
  expect({ pods: plan.pods, hostChanges: plan.hostChanges }).toEqual({ pods: [], hostChanges: [] });
}

test("a plan writes nothing, on hosts that were never used, before a change and after it", async () => {
  await using layout = await makeLayout();
  await fc.assert(
    fc.asyncProperty(fleets, fleets, async (before, after) => {
      const hosts = new SimulatedHosts(layout.path);
      const untouched = everything(hosts);
      await hosts.plan(before);
      expect(everything(hosts)).toBe(untouched);
      await hosts.apply(before);
      const applied = everything(hosts);
      await hosts.plan(before);
      await hosts.plan(after).catch((error: Error) => {
        if (!error.message.includes("wait for each other")) throw error;
      });
      expect(everything(hosts)).toBe(applied);
    }),
    { numRuns: 25 },
  );
});

test("every declared field that is changed behind the engine's back is named by the plan, and mended", async () => {
  await using layout = await makeLayout();
  await fc.assert(
    fc.asyncProperty(fleets, fc.nat(), async (manifest, seed) => {
      const hosts = new SimulatedHosts(layout.path);
      await hosts.apply(manifest);
      const all = podsOn(hosts);
      fc.pre(all.length > 0);
      const chosen = all[seed % all.length] as (typeof all)[number];
      const spec = manifest.hosts[chosen.host]?.pods?.[chosen.of.pod] as PodSpec;
      const prefix = `containers.${chosen.container}.`;
      const path = [...attributesOf(PodSpec, spec).keys()].find(
        (each) => each.startsWith(`${prefix}resources.`) || each === `${prefix}oomScoreAdj`,
      );
      fc.pre(path !== undefined);
      const [field, key] = (path as string).slice(prefix.length).split(".") as [string, string?];
      await hosts.machine(chosen.host).alter(chosen.of, chosen.container, {
        spec: (old) => {
          const source = old as unknown as Record<string, Json>;
          const other = (value: unknown): Json => (typeof value === "number" ? value + 1 : "0");
          const held = source[field] as Readonly<Record<string, Json>>;
          const changed =
            key === undefined ? other(source[field]) : { ...held, [key]: other(held[key]) };
          return { ...source, [field]: changed } as unknown as typeof old;
        },
      });
      const plan = await hosts.plan(manifest);
      const reasons = plan.pods.flatMap((change) => change.reasons);
      expect(reasons).toContainEqual(expect.objectContaining({ kind: "drift", path }));
      await expectMended(hosts, manifest);
    }),
    { numRuns: 40 },
  );
});

/** What somebody does to a file of a pod. */
const FILE_DEEDS = {
  content: { text: "0ther", base64: undefined },
  mode: { mode: 0o777 },
  owner: { uid: 4242 },
  gone: undefined,
} as const;

test.each(Object.keys(FILE_DEEDS) as (keyof typeof FILE_DEEDS)[])(
  "a file of a pod whose %s somebody changed is named by the plan, and mended",
  async (deed) => {
    await using layout = await makeLayout();
    await fc.assert(
      fc.asyncProperty(fleets, fc.nat(), async (manifest, seed) => {
        const hosts = new SimulatedHosts(layout.path);
        await hosts.apply(manifest);
        const all = HOSTS.flatMap((host) =>
          hosts.machine(host).read(({ files }) =>
            Object.entries(files)
              .filter(([path]) => /\/\.files\/|\/stw-secrets\//.test(path))
              .map(([path, file]) => ({ host, path, file })),
          ),
        );
        fc.pre(all.length > 0);
        const { host, path, file } = all[seed % all.length] as (typeof all)[number];
        const change = FILE_DEEDS[deed];
        await hosts
          .machine(host)
          .setFile(
            path,
            change === undefined ? undefined : ({ ...file, ...change } as typeof file),
          );
        const plan = await hosts.plan(manifest);
        const reasons = plan.pods.flatMap((change) => change.reasons);
        expect(reasons).toContainEqual(
          expect.objectContaining({ kind: "drift", path: expect.stringContaining(".files[") }),
        );
        await expectMended(hosts, manifest);
      }),
      { numRuns: 12, timeout: 60_000, endOnFailure: true },
    );
  },
);

const DEEDS = [
  "kill",
  "delete container",
  "delete pod",
  "delete image",
  "lose records",
  "reboot",
  "pause",
] as const;

test.each(DEEDS)(
  "%s behind Stowage's back is seen by the plan and mended by apply",
  async (deed) => {
    await using layout = await makeLayout();
    await fc.assert(
      fc.asyncProperty(fleets, fc.nat(), async (manifest, seed) => {
        const hosts = new SimulatedHosts(layout.path);
        await hosts.apply(manifest);
        // what has done its work can be neither killed nor paused
        const all = podsOn(hosts, deed === "kill" || deed === "pause");
        fc.pre(all.length > 0);
        const { host, of, container } = all[seed % all.length] as (typeof all)[number];
        const machine = hosts.machine(host);
        const record = `/var/lib/stowage/${of.owner}/${of.fleet}/${of.pod}.json`;
        const image = machine.read((state) => Object.keys(state.images)[0] as string);
        const act: Record<(typeof DEEDS)[number], () => Promise<void>> = {
          kill: () => machine.kill(of, container),
          "delete container": () => machine.deleteContainer(of, container),
          "delete pod": () => machine.deletePod(of),
          "delete image": () => machine.deleteImage(image),
          "lose records": () => machine.setFile(record, undefined),
          reboot: () => machine.reboot(),
          pause: () => machine.alter(of, container, { state: "paused" }),
        };
        await act[deed]();
        const plan = await hosts.plan(manifest);
        expect(plan.pods.length + plan.hostChanges.length).toBeGreaterThan(0);
        await expectMended(hosts, manifest);
      }),
      // a run that hangs, or a failure whose shrinking takes for ever, is told with its seed
      { numRuns: 12, timeout: 60_000, endOnFailure: true },
    );
  },
);
