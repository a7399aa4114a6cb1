import { expect } from "vitest";
import { applied, nameOf, SERVER } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** What Stowage did not make is not touched. */
export function foreignCases({ it }: Suite): void {
  it("somebody else's image is reported without fleets, and stays when a fleet lets go of it", async (test) => {
    const name = "example.test/foreign:1";
    await test.opened.addForeignImage(name);
    const find = async () =>
      (await test.engine.observe()).images.find((each) => each.name === name);
    const found = await find();
    expect(found).toBeDefined();
    expect(found?.fleets).toBeUndefined();
    const traces = await test.opened.traces();
    await test.engine.releaseImage(name, test.ownership);
    expect(await find()).toEqual(found);
    expect(await test.opened.traces()).toEqual(traces);
  });

  it("somebody else's objects outlive everything that a pod goes through", async (test) => {
    const name = "example.test/foreign:2";
    await test.opened.addForeignImage(name);
    const before = await test.opened.traces();
    const pod = await test.started({ main: SERVER });
    await test.engine.claimImage(applied(test.base), { owner: "someone", fleet: "else" });
    await test.engine.stop(pod.identity);
    await test.engine.remove(pod.identity);
    await test.engine.releaseImage(nameOf(test.base), { owner: "someone", fleet: "else" });
    expect(await test.opened.traces()).toEqual(before);
    expect((await test.engine.observe()).images.map((image) => image.name)).toContain(name);
  });
}
