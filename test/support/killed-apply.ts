import { expect } from "vitest";
import type { SimFault, SimMachine } from "../../src/engines/sim/index.ts";
import { SimKilled } from "../../src/engines/sim/index.ts";
import type { FleetManifest } from "../../src/model/index.ts";
import type { PlanOptions } from "../../src/plan/index.ts";
import { SimulatedHosts } from "./simulated-hosts.ts";

const HOSTS = ["h1", "h2"];

/** Everything on a host that must not depend on how often an apply was killed: all but numbers of generations. */
export function endState(machine: SimMachine) {
  return machine.read((state) => ({
    pods: enginesOf(state)
      .flatMap(({ engine, pods }) => Object.values(pods).map((pod) => ({ engine, ...pod })))
      .map(({ engine, identity, spec, recordDigest, complete, containers }) => ({
        pod: `${engine} ${identity.owner}/${identity.fleet}/${identity.pod}`,
        spec: withoutNumbers(spec),
        recordDigest,
        complete,
        states: Object.values(containers).map((each) => [
          each.state,
          withoutNumbers(each.spec),
          each.image.digest,
        ]),
      }))
      .sort((a, b) => (a.pod < b.pod ? -1 : 1)),
    images: enginesOf(state)
      .flatMap(({ engine, images }) =>
        Object.entries(images).map(([name, { fleets: of, digest }]) => [
          engine,
          name,
          digest,
          ...of,
        ]),
      )
      .sort(),
    leftovers: enginesOf(state).flatMap(({ leftovers }) => Object.keys(leftovers)),
    files: Object.entries(state.files)
      .filter(([path]) => !path.startsWith("/run/stowage/lock/"))
      .map(([path, { text, mode, uid, gid }]) => {
        const isOfPod = /\/\.files\/|\/stw-secrets\//.test(path);
        return [withoutNumbers(path), ...(isOfPod ? [text, mode, uid, gid] : [])];
      })
      .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
    directories: Object.keys(state.directories)
      .filter((path) => /\.volumes\/|\.files|stw-secrets/.test(path))
      .map(withoutNumbers)
      .sort(),
  }));
}

/** The same with the names of generations without their numbers and hashes. */
function withoutNumbers<T>(value: T): T {
  const text = JSON.stringify(value).replaceAll(/(stw-[a-z0-9-]*?)-\d+-[a-z2-7]{26}/g, "$1");
  return JSON.parse(text) as T;
}

type State = Parameters<Parameters<SimMachine["read"]>[0]>[0];

/** What each engine of a machine keeps; the first one has no name. */
function enginesOf(state: State) {
  const others = Object.entries(state.stores ?? {}).map(([engine, store]) => ({
    engine,
    ...store,
  }));
  const { pods, images, leftovers } = state;
  return [{ engine: "first", pods, images, leftovers }, ...others];
}

/** Names of the pods of which two generations have a process at the same time though they may not. */
export function doubled(machine: SimMachine): readonly string[] {
  return machine.read((state) => {
    const pods = enginesOf(state).flatMap((each) => Object.values(each.pods));
    const running = pods.filter(({ containers, spec }) => {
      const holds = Object.values(spec.containers).some(({ mounts }) =>
        mounts?.some(({ volume, readOnly }) => volume !== "scratch" && readOnly !== true),
      );
      const asked = spec.replacement === "start-first";
      return holds && !asked && Object.values(containers).some((each) => each.state === "running");
    });
    const names = running.map(({ identity }) => identity.pod);
    return names.filter((name, index) => names.indexOf(name) !== index);
  });
}

/**
 * Applies two manifests one after the other, the second one killed by a fault and then applied again.
 *
 * @param between what happens to the hosts meanwhile
 */
export async function runKilled(
  layout: string,
  [before, after]: readonly [FleetManifest, FleetManifest],
  fault?: SimFault,
  options: PlanOptions = {},
  between: (hosts: SimulatedHosts) => Promise<void> = async () => {},
): Promise<{ readonly hosts: SimulatedHosts; readonly killed: boolean; readonly writes: number }> {
  const hosts = new SimulatedHosts(layout);
  await hosts.apply(before);
  await between(hosts);
  let writes = 0;
  let killed = false;
  const watch = {
    onCall: (call: { nthWrite: number }) => {
      writes = Math.max(writes, call.nthWrite);
      for (const host of HOSTS) expect(doubled(hosts.machine(host))).toEqual([]);
    },
  };
  try {
    await hosts.apply(after, {
      ...watch,
      options,
      ...(fault === undefined ? {} : { faults: [fault] }),
    });
  } catch (error) {
    if (!(error instanceof SimKilled)) throw error;
    killed = true;
  }
  if (killed) {
    // whoever was killed holds the lock until it expires
    for (const host of HOSTS) await hosts.machine(host).advance(60_000);
    const report = await hosts.apply(after, { ...watch, options });
    expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
  }
  return { hosts, killed, writes };
}

export async function expectConverged(
  hosts: SimulatedHosts,
  manifest: FleetManifest,
  options: PlanOptions = {},
): Promise<void> {
  const plan = await hosts.plan(manifest, { options });
  expect({ pods: plan.pods, hostChanges: plan.hostChanges }).toEqual({ pods: [], hostChanges: [] });
}
