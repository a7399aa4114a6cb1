import { expect } from "vitest";
import type { ImageContent, PodInstance } from "../../../src/engine/index.ts";
import { type ContainerSpec, generationDigest } from "../../../src/model/index.ts";
import type { EngineUnderTest } from "../support/engine-under-test.ts";
import { applied, nameOf, SERVER, script } from "../support/engine-under-test.ts";
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

  itWith(
    "renamesImages",
    "another name of its image is noted, the process goes on, and the old name can go",
    async (test) => {
      const repository = test.base.reference.replace(/:[^/:]*$/, "");
      const [one, two] = ["one", "two"].map((tag) => ({
        ...test.base,
        reference: `${repository}:${tag}`,
      })) as [ImageContent, ImageContent];
      for (const image of [one, two]) await test.engine.importImage(image, test.ownership);
      const pod = named(test.pod({ main: SERVER }), one);
      await test.engine.prepare(pod);
      await test.engine.start(pod);
      const { pid } = await test.container(pod);
      const next = named(pod, two);
      await test.engine.update(next);
      await test.engine.releaseImage(nameOf(one), test.ownership);
      expect(await test.image(one)).toBeUndefined();
      expect(await test.image(two)).toMatchObject({ inUse: true });
      const { reference, manifest } = two;
      const image = { reference, digest: manifest.digest };
      expect(await test.container(pod)).toMatchObject({ state: "running", pid, image });
      expect((await test.observed(pod))?.recordDigest).toBe(next.recordDigest);
      await test.engine.stop(pod.identity);
      await test.engine.start(next);
      expect(await test.container(pod)).toMatchObject({ state: "running", image });
      await test.engine.remove(pod.identity);
      await test.engine.releaseImage(nameOf(two), test.ownership);
      expect(await test.image(two)).toBeUndefined();
    },
  );

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

/** A pod whose image has another name. */
function named(pod: PodInstance, image: ImageContent): PodInstance {
  const main = { ...(pod.spec.containers["main"] as ContainerSpec), image: image.reference };
  const spec = { ...pod.spec, containers: { main } };
  const images = { main: applied(image) };
  return { ...pod, spec, images, recordDigest: generationDigest({ spec, images }) };
}

function withContainer(
  test: EngineUnderTest,
  pod: PodInstance,
  change: Partial<ContainerSpec>,
): PodInstance {
  const main = { ...(pod.spec.containers["main"] as ContainerSpec), ...change };
  return test.again(pod, { containers: { ...pod.spec.containers, main } });
}
