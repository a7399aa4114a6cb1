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
  return { now, session: { engine, host, signal, feed, probe: createLimiter(1), observation } };
}

test("waitHealthy() does not believe what was seen before the pod was started", async () => {
  const { now, session } = world();
  // another pod's wait looked a moment ago, when this one was not started yet
  await session.feed.observe({ ...identity, pod: "other" }, 0);
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
