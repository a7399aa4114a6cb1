import { describe, expect, test } from "vitest";
import { resourceUpdate, toOciResources } from "./resource-limits.ts";

describe("toOciResources()", () => {
  test("puts every limit into the kernel's units", () => {
    const resources = {
      cpuMillis: 1500,
      cpuShares: 512,
      cpuset: "0-1",
      memoryBytes: 8e6,
      memoryReservationBytes: 7e6,
      memorySwapBytes: 9e6,
      pidsMax: 10,
    };
    expect(toOciResources(resources)).toEqual({
      cpu: { quota: 150_000, period: 100_000, shares: 512, cpus: "0-1" },
      memory: { limit: 8e6, reservation: 7e6, swap: 9e6 },
      pids: { limit: 10 },
    });
  });

  test("says nothing of what is not set", () => {
    expect(toOciResources(undefined)).toEqual({});
    expect(toOciResources({ memoryBytes: 8e6 })).toEqual({ memory: { limit: 8e6 } });
  });
});

describe("resourceUpdate()", () => {
  const all = toOciResources({
    cpuMillis: 100,
    cpuShares: 2,
    cpuset: "0",
    memoryBytes: 8e6,
    memoryReservationBytes: 7e6,
    memorySwapBytes: 9e6,
    pidsMax: 5,
  });

  test("lifts by name every limit that is gone", () => {
    expect(resourceUpdate(all, {}, "0-3")).toEqual({
      cpu: { quota: -1, period: 100_000, shares: 1024, cpus: "0-3" },
      memory: { limit: -1, reservation: -1, swap: -1 },
      pids: { limit: -1 },
    });
  });

  test("names what stays and what is new, and nothing else", () => {
    const after = toOciResources({ pidsMax: 9 });
    expect(resourceUpdate(toOciResources({ pidsMax: 5 }), after, undefined)).toEqual(after);
    expect(resourceUpdate({}, {}, undefined)).toEqual({});
  });
});
