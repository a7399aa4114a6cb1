import { expect } from "vitest";
import { SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** From prepared or exited to running. */
export function startCases({ it, itWith }: Suite): void {
  it("start() runs a prepared pod", async (test) => {
    const pod = await test.started({ main: SERVER });
    expect((await test.observed(pod))?.state).toBe("running");
    const { state, pid } = await test.container(pod);
    expect(state).toBe("running");
    expect(pid).toBeGreaterThan(0);
  });

  it("told that its start comes next, prepare() and start() lead to the same, in parts too", async (test) => {
    const plain = await test.started({ main: SERVER });
    const pod = test.pod({ main: SERVER });
    await test.engine.prepare(pod, { startsNext: true });
    // one that is gone on with without having been started
    await test.engine.prepare(pod, { startsNext: true });
    await test.engine.start(pod);
    const { pid: _, id: __, ...found } = await test.container(pod);
    const { pid: ___, id: ____, ...same } = await test.container(plain);
    expect(found).toEqual(same);
    const { pid } = await test.container(pod);
    await test.engine.prepare(pod, { startsNext: true });
    await test.engine.start(pod);
    expect(await test.container(pod)).toMatchObject({ state: "running", pid });
    const dropped = test.pod({ main: SERVER });
    await test.engine.prepare(dropped, { startsNext: true });
    await test.engine.remove(dropped.identity);
    expect(await test.observed(dropped)).toBeUndefined();
  });

  it("how the process of a pod is that was just started is told without the rest, until it ends and after", async (test) => {
    const pod = test.pod({ main: script("sleep 1; exit 5") });
    await test.engine.prepare(pod, { startsNext: true });
    await test.engine.start(pod);
    const { identity } = pod;
    const states = async () => {
      const only = [identity];
      const seen = await test.engine.observe({ podsOnly: true, statesOnly: true, only });
      return seen.pods.find((each) => each.pod === identity.pod)?.containers["main"];
    };
    // a moment in which an engine has not noticed yet is "unknown"
    await expect
      .poll(states, { timeout: 20_000, interval: 50 })
      .toMatchObject({ state: "exited", exitCode: 5 });
    expect(await test.container(pod)).toMatchObject({ state: "exited", exitCode: 5 });
  });

  it("starting it again leaves its process alone", async (test) => {
    const pod = await test.started({ main: SERVER });
    const { pid } = await test.container(pod);
    await test.engine.start(pod);
    expect(await test.container(pod)).toMatchObject({ state: "running", pid });
  });

  it("starting what does not exist is not_found", async (test) => {
    const starting = test.engine.start(test.pod({ main: SERVER }));
    await expect(starting).rejects.toMatchObject({ code: "not_found" });
  });

  it("a command that does not exist is failed_precondition, and the pod can be removed", async (test) => {
    const pod = test.pod({ main: { command: ["/nonexistent/program"] } });
    const running = async (): Promise<void> => {
      await test.engine.prepare(pod);
      await test.engine.start(pod);
    };
    await expect(running()).rejects.toMatchObject({ code: "failed_precondition" });
    await test.engine.remove(pod.identity);
    expect(await test.observed(pod)).toBeUndefined();
  });

  it("a pod that exited runs again", async (test) => {
    const pod = await test.started({ main: script("echo run") });
    await test.ended(pod);
    await test.engine.start(pod);
    await test.until(async () => (await test.lines(pod)).length === 2 || undefined);
    expect(await test.ended(pod)).toMatchObject({ exitCode: 0 });
  });

  it("a pod that was stopped runs again, with another process", async (test) => {
    const pod = await test.started({ main: SERVER });
    const { pid } = await test.container(pod);
    await test.engine.stop(pod.identity);
    await test.engine.start(pod);
    const again = await test.container(pod);
    expect(again.state).toBe("running");
    expect(again.pid).not.toBe(pid);
  });

  itWith("keepsLayer", "what a process wrote is there after a new start", async (test) => {
    const pod = await test.started({ main: script("cat /tmp/kept; echo before > /tmp/kept") });
    await test.ended(pod);
    await test.engine.start(pod);
    await test.printed(pod, "before");
    expect(await test.ended(pod)).toMatchObject({ exitCode: 0 });
  });

  it("start() on a pod of which one container ended starts that one alone", async (test) => {
    const pod = await test.started({ first: SERVER, second: SERVER });
    const before = await test.observed(pod);
    await test.opened.killContainer(pod.identity, "second");
    await test.ended(pod, "second");
    expect((await test.observed(pod))?.state).toBe("degraded");
    await test.engine.start(pod);
    const after = await test.observed(pod);
    expect(after?.state).toBe("running");
    expect(after?.containers["first"]?.pid).toBe(before?.containers["first"]?.pid);
    expect(after?.containers["second"]?.pid).not.toBe(before?.containers["second"]?.pid);
  });
}
