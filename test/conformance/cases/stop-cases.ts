import { expect } from "vitest";
import { SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** From running to exited. */
export function stopCases({ it }: Suite): void {
  it("stop() asks with SIGTERM, and what the process does about it is waited for", async (test) => {
    const source = "trap 'sleep 0.2; echo bye; exit 7' TERM; echo ready; sleep 1000 & wait";
    const pod = await test.started({ main: script(source) });
    await test.printed(pod, "ready");
    await test.engine.stop(pod.identity);
    expect(await test.container(pod)).toMatchObject({ state: "exited", exitCode: 7 });
    expect(await test.output(pod, 2)).toEqual(["ready", "bye"]);
  });

  it("it asks with another signal where one is given", async (test) => {
    const source = "trap 'exit 8' HUP; trap '' TERM; echo ready; while :; do sleep 0.05; done";
    const pod = await test.started({ main: script(source) });
    await test.printed(pod, "ready");
    await test.engine.stop(pod.identity, { containers: { main: { signal: "SIGHUP" } } });
    expect(await test.container(pod)).toMatchObject({ state: "exited", exitCode: 8 });
  });

  it("what ignores the signal is killed after the grace period, not before", async (test) => {
    const pod = await test.started({ main: script("trap '' TERM; echo ready; sleep 1000") });
    await test.printed(pod, "ready");
    const before = performance.now();
    await test.engine.stop(pod.identity, { containers: { main: { gracePeriodMs: 700 } } });
    const tookMs = performance.now() - before;
    expect(await test.container(pod)).toMatchObject({ state: "exited", exitCode: 137 });
    expect(tookMs).toBeGreaterThanOrEqual(690);
    expect(tookMs).toBeLessThan(6000);
  });

  it("all containers are asked at once", async (test) => {
    const stubborn = script("trap '' TERM; echo ready; sleep 1000");
    const pod = await test.started({ first: stubborn, second: stubborn, third: stubborn });
    for (const name of ["first", "second", "third"]) await test.printed(pod, "ready", name);
    const grace = { gracePeriodMs: 1500 };
    const before = performance.now();
    await test.engine.stop(pod.identity, {
      containers: { first: grace, second: grace, third: grace },
    });
    expect(performance.now() - before).toBeLessThan(4000);
    expect((await test.observed(pod))?.state).toBe("exited");
  });

  it("stopping it again does nothing", async (test) => {
    const pod = await test.started({ main: SERVER });
    await test.engine.stop(pod.identity);
    const before = await test.observed(pod);
    await test.engine.stop(pod.identity);
    expect(await test.observed(pod)).toEqual(before);
  });

  it("stopping what does not exist does nothing", async (test) => {
    const pod = test.pod({ main: SERVER });
    await test.engine.stop(pod.identity);
    expect(await test.observed(pod)).toBeUndefined();
  });

  it("a prepared pod that is stopped is exited, and runs when it is started", async (test) => {
    const pod = await test.prepared({ main: SERVER });
    await test.engine.stop(pod.identity);
    expect((await test.observed(pod))?.state).toBe("exited");
    await test.engine.start(pod);
    expect((await test.observed(pod))?.state).toBe("running");
  });

  it("an exit by itself is still told after a stop", async (test) => {
    const pod = await test.started({ main: script("exit 4") });
    await test.ended(pod);
    await test.engine.stop(pod.identity);
    expect(await test.container(pod)).toMatchObject({ state: "exited", exitCode: 4 });
  });

  it("it gives up the host's ports, and start takes them again", async (test) => {
    const port = 18_231;
    const web = { command: ["/bin/httpd", "-f", "-p", String(port)] };
    const more = { network: { mode: "host" as const }, ports: [{ host: port }] };
    const first = await test.started({ main: web }, more);
    await test.until(async () => (await listens(port)) || undefined);
    await test.engine.stop(first.identity, { containers: { main: { gracePeriodMs: 0 } } });
    expect(await listens(port)).toBe(false);
    const second = await test.started({ main: web }, more);
    await test.until(async () => (await listens(port)) || undefined);
    await test.engine.start(first);
    expect(await test.ended(first)).toMatchObject({ exitCode: 1 });
    expect((await test.output(first, 1)).join("\n")).toMatch(/address (already )?in use/i);
    expect((await test.observed(second))?.state).toBe("running");

    async function listens(wanted: number): Promise<boolean> {
      const { listening } = await test.host.snapshot({ listening: true });
      return listening.some((each) => each.port === wanted && each.protocol === "tcp");
    }
  });
}
