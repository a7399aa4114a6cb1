import { expect } from "vitest";
import type { PodInstance } from "../../../src/engine/index.ts";
import type { ContainerSpec } from "../../../src/model/index.ts";
import type { EngineUnderTest } from "../support/engine-under-test.ts";
import { SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

const MIB = 1024 * 1024;

/** A new specification for a generation that exists. */
export function updateCases({ it, itWith }: Suite): void {
  it("a live field is in force at once, and the process goes on", async (test) => {
    const pod = await test.started({ main: { ...SERVER, resources: { memoryBytes: 64 * MIB } } });
    const before = await test.container(pod);
    const next = withContainer(test, pod, { resources: { memoryBytes: 96 * MIB, pidsMax: 50 } });
    await test.engine.update(next);
    const after = await test.container(pod);
    expect(after).toMatchObject({ state: "running", pid: before.pid });
    expect(after.reported).toMatchObject({
      "resources.memoryBytes": 96 * MIB,
      "resources.pidsMax": 50,
    });
    expect((await test.observed(pod))?.recordDigest).toBe(next.recordDigest);
  });

  it("a pod that was just started and is updated has its new record, whatever is asked of it", async (test) => {
    const pod = test.pod({ main: { ...SERVER, resources: { memoryBytes: 64 * MIB } } });
    await test.engine.prepare(pod, { startsNext: true });
    await test.engine.start(pod);
    const next = withContainer(test, pod, { resources: { memoryBytes: 96 * MIB } });
    await test.engine.update(next);
    const only = [pod.identity];
    const { pods } = await test.engine.observe({ podsOnly: true, statesOnly: true, only });
    const seen = pods.find((each) => each.pod === pod.identity.pod);
    expect(seen).toMatchObject({ state: "running", recordDigest: next.recordDigest });
  });

  it("a limit that is declared no more is taken away", async (test) => {
    const pod = await test.started({ main: { ...SERVER, resources: { pidsMax: 40 } } });
    expect((await test.container(pod)).reported["resources.pidsMax"]).toBe(40);
    await test.engine.update(withContainer(test, pod, { resources: {} }));
    const { reported } = await test.container(pod);
    expect(reported["resources.pidsMax"] ?? null).toBeNull();
  });

  it("a live field holds after a stop and a new start", async (test) => {
    const pod = await test.started({ main: { ...SERVER, resources: { memoryBytes: 64 * MIB } } });
    const next = withContainer(test, pod, { resources: { memoryBytes: 80 * MIB } });
    await test.engine.update(next);
    await test.engine.stop(pod.identity);
    await test.engine.start(next);
    const { reported, state } = await test.container(pod);
    expect(state).toBe("running");
    expect(reported["resources.memoryBytes"]).toBe(80 * MIB);
  });

  it("a prepared pod takes a live field, and runs with it", async (test) => {
    const pod = await test.prepared({ main: { ...SERVER, resources: { memoryBytes: 64 * MIB } } });
    const next = withContainer(test, pod, { resources: { memoryBytes: 72 * MIB } });
    await test.engine.update(next);
    expect((await test.observed(pod))?.state).toBe("prepared");
    await test.engine.start(next);
    expect((await test.container(pod)).reported["resources.memoryBytes"]).toBe(72 * MIB);
  });

  itWith("changesUlimits", "a restart field comes into force with the next start", async (test) => {
    const source = "ulimit -n; trap 'exit 0' TERM; sleep 1000 & wait";
    const limit = (soft: number) => ({ ulimits: { nofile: { soft, hard: 500 } } });
    const pod = await test.started({ main: script(source, limit(300)) });
    await test.printed(pod, "300");
    const { pid } = await test.container(pod);
    const next = withContainer(test, pod, limit(400));
    await test.engine.update(next);
    expect(await test.container(pod)).toMatchObject({ state: "running", pid });
    await test.engine.stop(pod.identity);
    await test.engine.start(next);
    await test.printed(pod, "400");
    expect(await test.lines(pod)).toEqual(["300", "400"]);
  });

  it("updating it again with the same specification changes nothing", async (test) => {
    const pod = await test.started({ main: SERVER });
    const next = withContainer(test, pod, { resources: { memoryBytes: 64 * MIB } });
    await test.engine.update(next);
    const before = await test.observed(pod);
    await test.engine.update(next);
    expect(await test.observed(pod)).toEqual(before);
  });

  it("updating what does not exist is not_found", async (test) => {
    const updating = test.engine.update(test.pod({ main: SERVER }));
    await expect(updating).rejects.toMatchObject({ code: "not_found" });
  });
}

function withContainer(
  test: EngineUnderTest,
  pod: PodInstance,
  change: Partial<ContainerSpec>,
): PodInstance {
  const main = { ...(pod.spec.containers["main"] as ContainerSpec), ...change };
  return test.again(pod, { containers: { ...pod.spec.containers, main } });
}
