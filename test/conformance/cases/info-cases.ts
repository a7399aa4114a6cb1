import { expect } from "vitest";
import { ENGINE_KINDS } from "../../../src/model/index.ts";
import type { Suite } from "../support/suite.ts";

/** What an engine says of itself. */
export function infoCases({ it, fixture }: Suite): void {
  it("info() names its kind, version and platform", async ({ engine }) => {
    const info = await engine.info();
    expect(info.kind).toBe(engine.kind);
    expect(ENGINE_KINDS).toContain(info.kind);
    expect(info.version).toMatch(/^\d+\.\d+/);
    expect(info.platform.os).toBe("linux");
    expect(info.platform.architecture).not.toBe("");
  });

  it("capabilities() gives a reason for everything that is not native", async ({ engine }) => {
    const entries = Object.values(await engine.capabilities()).flat();
    expect(entries.length).toBeGreaterThan(0);
    const silent = entries.filter(
      ({ support, reason }) => support !== "native" && reason === undefined,
    );
    expect(silent).toEqual([]);
  });

  it("looking at an engine that was never used finds nothing and makes nothing", async () => {
    const unused = await fixture.open();
    try {
      const before = await unused.traces();
      await unused.engine.info();
      await unused.engine.capabilities();
      expect(await unused.engine.observe()).toEqual({ pods: [], images: [], leftovers: [] });
      expect(await unused.traces()).toEqual(before);
    } finally {
      await unused.close();
    }
  });

  it("an engine can be let go twice", async () => {
    const unused = await fixture.open();
    try {
      await unused.engine[Symbol.asyncDispose]();
      await expect(unused.engine[Symbol.asyncDispose]()).resolves.toBeUndefined();
    } finally {
      await unused.close();
    }
  });
}
