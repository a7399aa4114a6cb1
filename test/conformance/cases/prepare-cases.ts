import { expect } from "vitest";
import { nameOf, SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** From absent to prepared. */
export function prepareCases({ it }: Suite): void {
  it("prepare() makes the pod and runs nothing of the user's", async (test) => {
    const directory = await test.directory();
    const mount = { volume: "data", path: "/data" };
    const pod = test.pod(
      { main: script("echo ran > /data/ran", { mounts: [mount] }) },
      { volumes: { data: { kind: "bind", path: directory } } },
    );
    await test.engine.prepare(pod);
    expect(await test.observed(pod)).toMatchObject({
      ...pod.identity,
      state: "prepared",
      recordDigest: pod.recordDigest,
      containers: { main: { state: "prepared" } },
    });
    expect(await test.fileText(`${directory}/ran`)).toBeUndefined();
    expect(await test.lines(pod)).toEqual([]);
    expect(await test.image(test.base)).toMatchObject({ inUse: true });
  });

  it("preparing it again with the same digest changes nothing", async (test) => {
    const pod = await test.prepared({ main: SERVER });
    const before = await test.observed(pod);
    await test.engine.prepare(pod);
    expect(await test.observed(pod)).toEqual(before);
  });

  it("preparing it again while it runs leaves its process alone", async (test) => {
    const pod = await test.started({ main: SERVER });
    const { pid } = await test.container(pod);
    await test.engine.prepare(pod);
    expect(await test.container(pod)).toMatchObject({ state: "running", pid });
  });

  it("preparing the generation with another digest is already_exists and changes nothing", async (test) => {
    const pod = await test.prepared({ main: SERVER });
    const before = await test.observed(pod);
    const changed = test.again(pod, { hostname: "other" });
    await expect(test.engine.prepare(changed)).rejects.toMatchObject({ code: "already_exists" });
    expect(await test.observed(pod)).toEqual(before);
  });

  it("preparing with an image that is not there is not_found and leaves nothing", async (test) => {
    const pod = test.pod({ main: SERVER });
    const images = {
      main: { reference: test.other.reference, digest: test.other.manifest.digest },
    };
    const preparing = test.engine.prepare({ ...pod, images });
    await expect(preparing).rejects.toMatchObject({ code: "not_found" });
    expect(await test.observed(pod)).toBeUndefined();
  });

  it("preparing without the secrets that it needs is failed_precondition and leaves nothing", async (test) => {
    const env = { TOKEN: { secret: { fromEnv: "TOKEN" } } };
    const pod = test.pod({ main: { ...SERVER, env } });
    await expect(test.engine.prepare(pod)).rejects.toMatchObject({ code: "failed_precondition" });
    expect(await test.observed(pod)).toBeUndefined();
  });

  it("observe() reports the image of each container by its digest", async (test) => {
    const pod = await test.prepared({ main: SERVER });
    const { image } = await test.container(pod);
    expect(image.digest).toBe(test.base.manifest.digest);
    expect([nameOf(test.base), test.base.reference]).toContain(image.reference);
  });

  it("observe() reports declared fields as they were declared", async (test) => {
    const container = {
      ...SERVER,
      env: { COLOUR: "green" },
      workingDir: "/tmp",
      resources: { memoryBytes: 64 * 1024 * 1024 },
    };
    const pod = await test.prepared({ main: container }, { hostname: "told" });
    const { reported } = await test.container(pod);
    expect(reported).toMatchObject({
      "env.COLOUR": "green",
      workingDir: "/tmp",
      "resources.memoryBytes": 64 * 1024 * 1024,
    });
    expect((await test.observed(pod))?.reported).toMatchObject({ hostname: "told" });
  });
}
