import { expect } from "vitest";
import type { PodInstance } from "../../../src/engine/index.ts";
import type { EngineUnderTest } from "../support/engine-under-test.ts";
import { SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** How a pod comes into each state that it can be removed in. */
const STATES: Readonly<Record<string, (test: EngineUnderTest) => Promise<PodInstance>>> = {
  prepared: (test) => test.prepared({ main: SERVER }),
  running: (test) => test.started({ main: SERVER }),
  stubborn: (test) => test.started({ main: script("trap '' TERM; sleep 1000") }),
  exited: async (test) => {
    const pod = await test.started({ main: script("exit 0") });
    await test.ended(pod);
    return pod;
  },
  stopped: async (test) => {
    const pod = await test.started({ main: SERVER });
    await test.engine.stop(pod.identity);
    return pod;
  },
  degraded: async (test) => {
    const pod = await test.started({ main: SERVER, other: script("exit 1") });
    await test.ended(pod, "other");
    return pod;
  },
};

/** From anything to absent. */
export function removeCases({ it }: Suite): void {
  for (const [state, make] of Object.entries(STATES)) {
    it(`remove() takes a ${state} pod away and leaves nothing of it`, async (test) => {
      // directories that all pods share come with the first one
      await test.engine.remove((await test.prepared({ main: SERVER })).identity);
      const traces = await test.opened.traces();
      const pod = await make(test);
      await test.engine.remove(pod.identity);
      expect(await test.observed(pod)).toBeUndefined();
      expect(await test.image(test.base)).toMatchObject({ inUse: false });
      expect(await test.opened.traces()).toEqual(traces);
    });
  }

  it("removing it again, or what never was, does nothing", async (test) => {
    const pod = await test.prepared({ main: SERVER });
    await test.engine.remove(pod.identity);
    await test.engine.remove(pod.identity);
    await test.engine.remove(test.pod({ main: SERVER }).identity);
    expect(await test.observed(pod)).toBeUndefined();
  });

  it("the same generation can be made again", async (test) => {
    const pod = await test.started({ main: script("echo once; sleep 1000") });
    await test.printed(pod, "once");
    await test.engine.remove(pod.identity);
    await test.engine.prepare(pod);
    expect(await test.observed(pod)).toMatchObject({ state: "prepared" });
    expect(await test.lines(pod)).toEqual([]);
  });

  it("vacating an engine takes nothing that is in use, and says why what stays does", async (test) => {
    const pod = await test.started({ main: SERVER });
    const inUse = async () => {
      const { images, ...rest } = await test.engine.observe();
      return { ...rest, images: images.filter((image) => image.inUse) };
    };
    const before = await inUse();
    expect(before.images).not.toEqual([]);
    for (const _ of ["once", "twice"]) {
      for (const { what, why } of await test.engine.vacate()) {
        expect(what).not.toBe("");
        expect(why).not.toBe("");
      }
    }
    expect(await inUse()).toEqual(before);
    await test.engine.remove(pod.identity);
  });

  it("removing a leftover that is not there does nothing", async (test) => {
    const before = await test.engine.observe();
    await test.engine.removeLeftover("stw-nothing-of-this-name");
    expect(await test.engine.observe()).toEqual(before);
  });
}
