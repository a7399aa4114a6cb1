import { expect } from "vitest";
import type { EngineEvent } from "../../../src/engine/index.ts";
import type { PodIdentity } from "../../../src/model/index.ts";
import { type EngineUnderTest, SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** What happens to processes that end by themselves, and how that is told. */
export function restartCases({ fixture, it, itWith }: Suite): void {
  it("a start that the policy wants is counted, and any other one begins to count anew", async (test) => {
    const pod = await test.started({ main: script("exit 3") });
    expect(await test.ended(pod)).not.toHaveProperty("restarts");
    for (const count of [1, 2]) {
      await test.engine.start(pod, { again: true });
      expect(await ended(test, pod, count)).toMatchObject({ exitCode: 3, restarts: count });
    }
    await test.engine.start(pod);
    expect(await test.ended(pod)).not.toHaveProperty("restarts");
    await test.engine.remove(pod.identity);
    expect((await test.engine.observe()).leftovers).toEqual([]);
  });

  it("start() of some containers leaves the others as they are", async (test) => {
    const pod = await test.started({ job: script("exit 0"), other: script("exit 1") });
    await test.ended(pod, "job");
    const { exitedAt } = await test.ended(pod, "job");
    await test.ended(pod, "other");
    await test.engine.start(pod, { containers: ["other"], again: true });
    expect(await ended(test, pod, 1, "other")).toMatchObject({ exitCode: 1, restarts: 1 });
    const job = await test.container(pod, "job");
    expect(job).toMatchObject({ state: "exited", exitCode: 0, exitedAt });
    expect(job).not.toHaveProperty("restarts");
  });

  itWith(
    "restarts",
    "on-failure starts what failed again, and gives up after its retries",
    async (test) => {
      const restart = { policy: "on-failure", maxRetries: 2 } as const;
      const pod = await test.started({ main: script("echo try; exit 5") }, { restart });
      expect(await ended(test, pod, 2)).toMatchObject({ exitCode: 5, restarts: 2 });
      expect(await test.output(pod, 3)).toEqual(["try", "try", "try"]);
      const done = await test.started({ main: script("exit 0") }, { restart });
      expect(await test.ended(done)).not.toHaveProperty("restarts");
    },
  );

  itWith("restarts", "always and unless-stopped start what was killed again", async (test) => {
    for (const policy of ["always", "unless-stopped"] as const) {
      const pod = await test.started({ main: SERVER }, { restart: { policy } });
      const { pid } = await test.container(pod);
      await test.opened.killContainer(pod.identity, "main");
      const again = await test.until(async () => {
        const found = await test.container(pod);
        return found.state === "running" && found.pid !== pid ? found : undefined;
      });
      expect(again.restarts).toBe(1);
    }
  });

  itWith("restarts", "what was stopped stays so, whatever its policy says", async (test) => {
    const pod = await test.started({ main: SERVER }, { restart: { policy: "always" } });
    await test.engine.stop(pod.identity);
    const others = await test.started(
      { main: script("exit 1") },
      { restart: { policy: "always" } },
    );
    await ended(test, others, 1, "main", ["running", "exited"]);
    expect((await test.container(pod)).state).toBe("exited");
    await test.engine.stop(others.identity);
  });

  if (fixture.features.restarts) return;
  it("the table says that policies hold only while stowage watch runs", async (test) => {
    const table = await test.engine.capabilities();
    const entries = [table["restart.policy"] ?? []].flat();
    const emulated = entries.filter(({ support }) => support === "emulated");
    expect(emulated.map((each) => each.while)).toEqual(emulated.map(() => "stowage watch runs"));
    expect(emulated).not.toEqual([]);
  });
}

/** What engines tell as it happens. */
export function eventCases({ fixture, it, itWith }: Suite): void {
  itWith("events", "all that happens after it listens is told, in order", async (test) => {
    const pod = test.pod({ main: SERVER });
    const heard = listen(test, pod.identity);
    await heard.until((kinds) => kinds.includes("listening"));
    await test.engine.prepare(pod);
    await test.engine.start(pod);
    // the end of a command in it is not its own
    await test.exec(pod, "true");
    await test.opened.killContainer(pod.identity, "main");
    await heard.until((kinds) => kinds.includes("ended"));
    await test.engine.remove(pod.identity);
    await heard.until((kinds) => kinds.includes("removed"));
    await heard.stop();
    const kinds = heard.events.map(({ kind }) => kind);
    expect(kinds).toEqual(["listening", "made", "started", "ended", "removed"]);
    for (const { at, container } of heard.events.slice(1)) {
      expect(container).toBe("main");
      expect(new Date(at).toISOString()).toBe(at);
    }
    expect(heard.events[3]?.exitCode).toBe(137);
  });

  itWith(
    "events",
    "a listener that is stopped leaves nothing, and is told its own reason",
    async (test) => {
      const before = await test.opened.traces();
      const stop = new AbortController();
      const reason = new Error("enough");
      const listening = (async () => {
        for await (const { kind } of test.engine.events({ signal: stop.signal }) ?? []) {
          if (kind === "listening") stop.abort(reason);
        }
      })();
      await expect(listening).rejects.toBe(reason);
      expect(await test.opened.traces()).toEqual(before);
    },
  );

  it("an engine says whether it tells of anything", async (test) => {
    const stop = new AbortController();
    const events = test.engine.events({ signal: stop.signal });
    expect(events !== undefined).toBe(fixture.features.events);
    stop.abort();
  });
}

async function ended(
  test: EngineUnderTest,
  pod: Parameters<EngineUnderTest["container"]>[0],
  restarts: number,
  name = "main",
  states: readonly string[] = ["exited"],
) {
  return await test.until(async () => {
    const found = await test.container(pod, name);
    return states.includes(found.state) && (found.restarts ?? 0) >= restarts ? found : undefined;
  });
}

/** Listens to what is told of one pod. */
function listen(test: EngineUnderTest, { pod }: PodIdentity) {
  const stop = new AbortController();
  const events: EngineEvent[] = [];
  const ended = (async () => {
    for await (const event of test.engine.events({ signal: stop.signal }) ?? []) {
      if (event.kind === "listening" || event.pod?.pod === pod) events.push(event);
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    events,
    until: async (isEnough: (kinds: readonly string[]) => boolean) =>
      await test.until(async () => isEnough(events.map(({ kind }) => kind)) || undefined),
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}
