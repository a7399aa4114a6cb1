import { expect } from "vitest";
import type { EngineUnderTest } from "../support/engine-under-test.ts";
import { applied, nameOf, SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** Calls that are given up. */
export function abortCases({ it }: Suite): void {
  it("a call with an aborted signal rejects with its reason and changes nothing", async (test) => {
    const running = await test.started({ main: SERVER });
    const absent = test.pod({ main: SERVER });
    const before = await test.engine.observe();
    const signal = AbortSignal.abort(new Error("given up"));
    const { engine } = test;
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      info: () => engine.info({ signal }),
      capabilities: () => engine.capabilities({ signal }),
      observe: () => engine.observe({ signal }),
      logs: () => drain(test, running.identity, signal),
      importImage: () => engine.importImage(test.other, test.ownership, { signal }),
      claimImage: () =>
        engine.claimImage(applied(test.base), { owner: "a", fleet: "b" }, { signal }),
      releaseImage: () => engine.releaseImage(nameOf(test.base), test.ownership, { signal }),
      prepare: () => engine.prepare(absent, { signal }),
      start: () => engine.start(absent, { signal }),
      stop: () => engine.stop(running.identity, { signal }),
      update: () => engine.update(running, { signal }),
      remove: () => engine.remove(running.identity, { signal }),
      removeLeftover: () => engine.removeLeftover("stw-x", { signal }),
      vacate: () => engine.vacate({ signal }),
      exec: () => engine.exec(running.identity, "main", ["/bin/true"], { signal, timeoutMs: 1000 }),
    };
    for (const [name, call] of Object.entries(calls)) {
      const outcome = await call().then(
        () => "it succeeded",
        (error: unknown) => error,
      );
      expect({ [name]: outcome }).toEqual({ [name]: signal.reason });
    }
    expect(await test.engine.observe()).toEqual(before);
  });

  it("a stop that is given up can be done again", async (test) => {
    const pod = await test.started({ main: script("trap '' TERM; echo ready; sleep 1000") });
    await test.printed(pod, "ready");
    const stop = new AbortController();
    const grace = { main: { gracePeriodMs: 60_000 } };
    const stopping = test.engine.stop(pod.identity, { containers: grace, signal: stop.signal });
    const outcome = expect(stopping).rejects.toBe("changed my mind");
    setTimeout(() => stop.abort("changed my mind"), 200);
    await outcome;
    expect((await test.observed(pod))?.state).toBe("running");
    await test.engine.stop(pod.identity, { containers: { main: { gracePeriodMs: 0 } } });
    expect((await test.observed(pod))?.state).toBe("exited");
  });

  it("a command that is given up rejects with the signal's reason", async (test) => {
    const pod = await test.started({ main: SERVER });
    const stop = new AbortController();
    const running = test.engine.exec(pod.identity, "main", ["/bin/sleep", "1000"], {
      timeoutMs: 60_000,
      signal: stop.signal,
    });
    const outcome = expect(running).rejects.toBe("enough");
    setTimeout(() => stop.abort("enough"), 200);
    await outcome;
    expect((await test.observed(pod))?.state).toBe("running");
  });

  it("a release that is cut short leaves an image that is still the fleet's, or a leftover, or none", async (test) => {
    const name = nameOf(test.other);
    for (const afterMs of [0, 1, 2, 4, 8, 16, 32, 64]) {
      await test.engine.importImage(test.other, test.ownership);
      const signal = AbortSignal.timeout(afterMs);
      await test.engine.releaseImage(name, test.ownership, { signal }).catch((error: unknown) => {
        if (error !== signal.reason) throw error;
      });
      const { owner, fleet } = test.ownership;
      for (const { name: each } of (await test.engine.observe()).leftovers)
        await test.engine.removeLeftover(each);
      const left = await test.image(test.other);
      expect({ afterMs, fleets: left?.fleets ?? [`${owner}/${fleet}`] }).toEqual({
        afterMs,
        fleets: [`${owner}/${fleet}`],
      });
      await test.engine.releaseImage(name, test.ownership);
      expect(await test.image(test.other)).toBeUndefined();
    }
  });

  it("a prepare or start that is cut short can be done again, or removed entirely", async (test) => {
    for (const afterMs of [0, 2, 5, 10, 20, 40]) {
      const pod = test.pod({ main: SERVER, second: SERVER });
      const signal = AbortSignal.timeout(afterMs);
      const making = async (): Promise<void> => {
        await test.engine.prepare(pod, { signal });
        await test.engine.start(pod, { signal });
      };
      await making().catch((error: unknown) => {
        if (error !== signal.reason) throw error;
      });
      if ((await test.observed(pod))?.state === "incomplete")
        await test.engine.remove(pod.identity);
      await test.engine.prepare(pod);
      await test.engine.start(pod);
      expect((await test.observed(pod))?.state).toBe("running");
      await test.engine.remove(pod.identity);
      expect(await test.observed(pod)).toBeUndefined();
    }
  });
}

async function drain(
  test: EngineUnderTest,
  identity: Parameters<EngineUnderTest["engine"]["logs"]>[0],
  signal: AbortSignal,
): Promise<void> {
  for await (const _ of test.engine.logs(identity, "main", { signal }));
}
