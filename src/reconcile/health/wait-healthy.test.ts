import { expect, test } from "vitest";
import type { Engine } from "../../engine/index.ts";
import type { Host } from "../../host/index.ts";
import { createLimiter } from "../../internal/index.ts";
import type { ContainerState, ObservedEngine } from "../../model/index.ts";
import { ObservationFeed } from "./observation-feed.ts";
import { waitHealthy } from "./wait-healthy.ts";

const identity = { owner: "o", fleet: "f", host: "h", pod: "web", generation: 1 };
const health = { kind: "tcp" as const, port: 80, intervalMs: 10, retries: 2 };
const spec = { containers: { main: { image: "app:1", health } } };

/** An engine whose pod is in the state that is set, and a host on which every port answers. */
function world() {
  const now: { state: ContainerState } = { state: "prepared" };
  const observe = async (): Promise<ObservedEngine> => {
    const image = { reference: "app:1" };
    const containers = { main: { id: "1", state: now.state, image, reported: {} } };
    return {
      pods: [{ ...identity, state: "running", containers, reported: {} }],
      images: [],
      leftovers: [],
    };
  };
  const { signal } = new AbortController();
  const engine = { observe } as unknown as Engine;
  const host = { probe: async () => undefined } as unknown as Host;
  const feed = new ObservationFeed(engine, signal);
  const observation = { capabilities: {} };
  const context = { settleMs: 0 };
  const probe = createLimiter(1);
  return { now, session: { engine, host, signal, feed, probe, observation, context } };
}

test("waitHealthy() does not believe what was seen before the pod was started", async () => {
  const { now, session } = world();
  // somebody looked a moment ago, when it was not started yet
  await session.feed.observe(identity, 0);
  now.state = "running";
  await expect(waitHealthy(session, identity, spec)).resolves.toBeUndefined();
});

test("waitHealthy() fails at once for a process that nobody will start", async () => {
  const { session } = world();
  await expect(waitHealthy(session, identity, spec)).rejects.toThrow(
    'Cannot start pod "web": container main is not healthy: it is prepared; see its log',
  );
});

test("waitHealthy() waits for what its engine starts again, and not for what only a watch would", async () => {
  const { session, now } = world();
  const always = { ...spec, restart: { policy: "always" as const } };
  now.state = "exited";
  await expect(waitHealthy(session, identity, always)).rejects.toThrow(
    /container main is not healthy: it ended; see its log$/,
  );
  const capabilities = { "restart.policy": { support: "native" as const } };
  const waiting = waitHealthy({ ...session, observation: { capabilities } }, identity, always);
  now.state = "running";
  await expect(waiting).resolves.toBeUndefined();
});

test("waitHealthy() tries a probe that takes longer than its interval no oftener than it says", async () => {
  const { session, now } = world();
  now.state = "running";
  let tries = 0;
  session.host.probe = async () => {
    tries += 1;
    await new Promise((resolve) => setTimeout(resolve, 60));
    return "it is slow";
  };
  const slow = { containers: { main: { image: "app:1", health: { ...health, intervalMs: 50 } } } };
  await expect(waitHealthy(session, identity, slow)).rejects.toThrow(/not healthy after 2 tries/);
  expect(tries).toBe(2);
});

test("waits of one moment share one observation, which asks for their pods alone", async () => {
  const { session, now } = world();
  now.state = "running";
  const asked: unknown[] = [];
  const { observe } = session.engine;
  session.engine.observe = (options) => {
    asked.push(options?.only?.map(({ pod }) => pod));
    return observe(options);
  };
  const pods = ["a", "b", "c"].map((pod) => session.feed.observe({ ...identity, pod }, 0));
  await Promise.all(pods);
  expect(asked).toEqual([["a", "b", "c"]]);
  // young enough, but of others
  await session.feed.observe({ ...identity, pod: "a" }, 60_000);
  expect(asked).toHaveLength(1);
  await session.feed.observe({ ...identity, pod: "d" }, 60_000);
  expect(asked[1]).toEqual(["d"]);
});

/** A container without a probe, which its engine starts again; what it is at each look, the last one from then on. */
function unprobed(looks: readonly { state: ContainerState; ageMs?: number; exitCode?: number }[]) {
  const { session } = world();
  let look = -1;
  session.engine.observe = async () => {
    look = Math.min(look + 1, looks.length - 1);
    const { state, exitCode } = looks[look] ?? { state: "running" };
    const image = { reference: "app:1" };
    const code = exitCode === undefined ? {} : { exitCode };
    const main = { id: "1", state, pid: 7, image, reported: {}, ...code };
    const pod = { ...identity, state: "running" as const, containers: { main }, reported: {} };
    return { pods: [pod], images: [], leftovers: [] };
  };
  const snapshot = async () => ({
    files: new Map([
      ["/proc/uptime", "100.00 1\n"],
      ["/proc/7/stat", `7 (x) S ${"0 ".repeat(18)}${10_000 - (looks[look]?.ageMs ?? 0) / 10} 0`],
    ]),
  });
  const host = { ...session.host, snapshot } as unknown as Host;
  const context = { settleMs: 40 };
  return { ...session, host, context, looked: () => look + 1 };
}

const plain = { containers: { main: { image: "app:1" } } };

test("waitHealthy() believes a container without a probe when its process has run for a while", async () => {
  const began = performance.now();
  const session = unprobed([{ state: "running", ageMs: 45 }]);
  await waitHealthy(session, identity, plain);
  expect(performance.now() - began).toBeGreaterThan(35);
  // one look is enough: it was not asked before its time was over
  expect(session.looked()).toBe(1);
});

test("waitHealthy() counts from the beginning of the process, and looks again where it came too early", async () => {
  const session = {
    ...unprobed([
      { state: "running", ageMs: 400 },
      { state: "running", ageMs: 40 },
      { state: "running", ageMs: 110 },
    ]),
    context: { settleMs: 100 },
  };
  // an engine whose command came back long after the process had begun
  await waitHealthy(session, identity, plain);
  expect(session.looked()).toBe(1);
  const began = performance.now();
  await waitHealthy(session, identity, plain);
  expect(session.looked()).toBe(3);
  // what the process was too young for at the early look
  expect(performance.now() - began).toBeGreaterThan(55);
});

test("waitHealthy() takes an end moments after the start for a failed one", async () => {
  const session = unprobed([{ state: "exited", exitCode: 3 }]);
  await expect(waitHealthy(session, identity, plain)).rejects.toThrow(
    'Cannot start pod "web": container main is not healthy: it ended with exit code 3; see its log',
  );
});

test("waitHealthy() is not misled by a crash loop that runs at each look", async () => {
  const session = unprobed([{ state: "running", ageMs: 5 }]);
  const observation = { capabilities: { "restart.policy": { support: "native" as const } } };
  const always = { ...plain, restart: { policy: "always" as const } };
  await expect(waitHealthy({ ...session, observation }, identity, always)).rejects.toThrow(
    /container main is not healthy after 10 tries: it ended and was started again; see its log$/,
  );
}, 30_000);
