import fc from "fast-check";
import { expect, test } from "vitest";
import { type SimFault, SimKilled } from "../../src/engines/sim/index.ts";
import { FleetManifest, MANIFEST_VERSION, type Rollout } from "../../src/model/index.ts";
import type { ApplyReport } from "../../src/reconcile/index.ts";
import { makeLayout, SimulatedHosts } from "../support/simulated-hosts.ts";

const NAMES = ["h1", "h2", "h3", "h4", "h5", "h6"];

interface Story {
  readonly hosts: number;
  readonly rollout: Rollout;
  /** Hosts on which the new version does not work. */
  readonly crashes: readonly string[];
  /** A port of the host: each pod is down while it is replaced. */
  readonly isExclusive: boolean;
  /** The writing call at which the first apply is killed. */
  readonly killedAt: number;
}

const rollouts = fc.record(
  {
    canary: fc.integer({ min: 1, max: 3 }),
    maxUnavailable: fc.integer({ min: 1, max: 3 }),
    abortAfter: fc.integer({ min: 1, max: 3 }),
    rollback: fc.constantFrom("none", "wave", "all"),
  },
  { requiredKeys: ["maxUnavailable"] },
) as fc.Arbitrary<Rollout & { readonly maxUnavailable: number }>;

const stories: fc.Arbitrary<Story> = fc.record({
  hosts: fc.integer({ min: 1, max: NAMES.length }),
  rollout: rollouts,
  crashes: fc.subarray(NAMES),
  isExclusive: fc.boolean(),
  killedAt: fc.integer({ min: 1, max: 14 }),
});

function declared({ hosts, rollout, crashes, isExclusive }: Story, image: string): FleetManifest {
  const names = NAMES.slice(0, hosts);
  const web = (name: string) => ({
    containers: {
      main: { image, ...(crashes.includes(name) ? { command: ["sh", "-c", "exit 1"] } : {}) },
    },
    service: "web",
    rollout,
    ...(isExclusive ? { network: { mode: "host" }, ports: [{ host: 8080 }] } : {}),
  });
  return FleetManifest.parse({
    version: MANIFEST_VERSION,
    name: "shop",
    id: "owner-1",
    images: { "app:1": { layout: "layout" }, "app:2": { layout: "layout" } },
    hosts: Object.fromEntries(
      names.map((name) => [
        name,
        { address: "local", engine: { kind: "sim" }, pods: { web: web(name) } },
      ]),
    ),
  });
}

/** The images that run on a host. */
function images(hosts: SimulatedHosts, name: string): readonly string[] {
  return hosts.machine(name).read(({ pods }) =>
    Object.values(pods)
      .flatMap(({ containers }) => Object.values(containers))
      .filter(({ state }) => state === "running")
      .map(({ image }) => image.reference.replace("docker.io/library/", "")),
  );
}

/** Watches a rollout: how many pods were ever down, and how many ran the new version at the first failure. */
function watched(hosts: SimulatedHosts, { hosts: count, rollout }: Story) {
  const names = NAMES.slice(0, count);
  return {
    onCall: () => {
      const down = names.filter((name) => images(hosts, name).length === 0);
      expect(down.length).toBeLessThanOrEqual(rollout.maxUnavailable ?? names.length);
    },
  };
}

async function begun(layout: string, story: Story): Promise<SimulatedHosts> {
  const hosts = new SimulatedHosts(layout);
  const report = await hosts.apply(declared({ ...story, crashes: [] }, "app:1"));
  expect(report.status).toBe("done");
  return hosts;
}

/** A wave that was begun is gone on with: no more fail than may, and those of its own wave. */
function expectGivenUp(
  { hosts, rollout }: Story,
  failing: readonly string[],
  { outcomes }: ApplyReport,
): void {
  const { canary = 0, abortAfter = 1, rollback = "none", maxUnavailable = 1 } = rollout;
  const statuses = outcomes.flatMap(({ pod, status }) => (pod === undefined ? [] : [status]));
  const count = (status: string) => statuses.filter((each) => each === status).length;
  expect(count("failed")).toBe(0);
  const failures = Math.min(failing.length, abortAfter + maxUnavailable - 1);
  if (rollback === "none") expect(count("rolled-back")).toBeLessThanOrEqual(failures);
  if (rollback === "all" && count("skipped") > 0) expect(count("done")).toBe(0);
  const firstWave = Math.min(canary, maxUnavailable);
  const isFirst = NAMES.slice(0, Math.min(firstWave, hosts)).some((each) => failing.includes(each));
  if (isFirst) expect(statuses.length - count("skipped")).toBeLessThanOrEqual(firstWave);
}

test("a rollout keeps its limits, ends where it is to, and leaves every pod running what the report says", async () => {
  await using layout = await makeLayout();
  await fc.assert(
    fc.asyncProperty(stories, async (story) => {
      const names = NAMES.slice(0, story.hosts);
      const hosts = await begun(layout.path, story);
      const report = await hosts.apply(declared(story, "app:2"), watched(hosts, story));
      const failing = names.filter((name) => story.crashes.includes(name));
      expect(report.status).toBe(failing.length === 0 ? "done" : "failed");
      for (const { host, pod, status } of report.outcomes) {
        if (pod === undefined) continue;
        const image = status === "done" ? "app:2" : "app:1";
        expect([host, ...images(hosts, host)]).toEqual([host, image]);
      }
      if (failing.length > 0) expectGivenUp(story, failing, report);
    }),
    { numRuns: 20 },
  );
}, 60_000);

test("a rollout that is killed anywhere is gone on with by the next apply, within its limits", async () => {
  await using layout = await makeLayout();
  await fc.assert(
    fc.asyncProperty(stories, async (given) => {
      const story = { ...given, crashes: [] };
      const hosts = await begun(layout.path, story);
      const after = declared(story, "app:2");
      const fault: SimFault = {
        access: "write",
        nth: story.killedAt,
        phase: "after",
        effect: "kill",
      };
      try {
        await hosts.apply(after, { ...watched(hosts, story), faults: [fault] });
      } catch (error) {
        if (!(error instanceof SimKilled)) throw error;
        for (const name of NAMES) await hosts.machine(name).advance(60_000);
      }
      const plan = await hosts.plan(after);
      const left =
        plan.rollouts?.flatMap(({ waves }) => waves.flatMap(({ changes }) => changes)) ?? [];
      const names = NAMES.slice(0, story.hosts);
      const isDone = (name: string) => !left.includes(`${name}/web`);
      for (const name of names.filter(isDone)) expect(images(hosts, name)).toContain("app:2");
      const report = await hosts.apply(after, watched(hosts, story));
      expect(["done", "converged"]).toContain(report.status);
      for (const name of names) expect(images(hosts, name)).toEqual(["app:2"]);
    }),
    { numRuns: 20 },
  );
}, 60_000);
