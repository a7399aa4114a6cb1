import { describe, expect, test } from "vitest";
import type { Resources } from "../../../model/index.ts";
import { effectiveLimits, limitFiles } from "./kernel-limits.ts";
import { toOciResources } from "./resource-limits.ts";
import { parseStoredSpec, type StoredSpec, specBytes } from "./stored-spec.ts";

function stored(resources: Resources): StoredSpec {
  const spec = parseStoredSpec(
    specBytes({
      process: { user: { uid: 0, gid: 0 }, args: ["x"], cwd: "/" },
      linux: { cgroupsPath: "/ns/id", resources: toOciResources(resources) },
    }),
  );
  if (spec === undefined) throw new Error("It is not a spec");
  return spec;
}

const ASKED: Resources = {
  cpuMillis: 250,
  cpuShares: 512,
  cpuset: "0,1",
  memoryBytes: 100_000_000,
  memoryReservationBytes: 50_000_000,
  memorySwapBytes: 120_000_000,
  pidsMax: 64,
};

const V1 = {
  "/sys/fs/cgroup/cpu/ns/id/cpu.cfs_quota_us": "25000\n",
  "/sys/fs/cgroup/cpu/ns/id/cpu.shares": "512\n",
  "/sys/fs/cgroup/cpuset/ns/id/cpuset.cpus": "0-1\n",
  "/sys/fs/cgroup/memory/ns/id/memory.limit_in_bytes": "99999744\n",
  "/sys/fs/cgroup/memory/ns/id/memory.soft_limit_in_bytes": "49999872\n",
  "/sys/fs/cgroup/memory/ns/id/memory.memsw.limit_in_bytes": "119996416\n",
  "/sys/fs/cgroup/pids/ns/id/pids.max": "64\n",
};

const V2 = {
  "/sys/fs/cgroup/ns/id/cpu.max": "25000 100000\n",
  "/sys/fs/cgroup/ns/id/cpu.weight": "20\n",
  "/sys/fs/cgroup/ns/id/cpuset.cpus": "0-1\n",
  "/sys/fs/cgroup/ns/id/memory.max": "99999744\n",
  "/sys/fs/cgroup/ns/id/memory.low": "49999872\n",
  "/sys/fs/cgroup/ns/id/memory.swap.max": "20000768\n",
  "/sys/fs/cgroup/ns/id/pids.max": "64\n",
};

const filesOf = (texts: Record<string, string>) => new Map(Object.entries(texts));

describe("effectiveLimits()", () => {
  test("reads cgroups of version 1, in the form in which the limits were asked for", () => {
    const files = {
      ...V1,
      "/sys/fs/cgroup/memory/ns/id/memory.memsw.limit_in_bytes": "119996416\n",
    };
    const { memorySwapBytes: _, ...rest } = effectiveLimits(stored(ASKED), filesOf(files));
    const { memorySwapBytes: __, ...asked } = ASKED;
    expect(rest).toEqual(asked);
  });

  test("reads cgroups of version 2, which weighs CPUs and counts swap in its own way", () => {
    const { memorySwapBytes: _, ...rest } = effectiveLimits(stored(ASKED), filesOf(V2));
    const { memorySwapBytes: __, ...asked } = ASKED;
    expect(rest).toEqual(asked);
  });

  test.each([
    ["cpuMillis", "/sys/fs/cgroup/cpu/ns/id/cpu.cfs_quota_us", "-1", null],
    ["cpuMillis", "/sys/fs/cgroup/ns/id/cpu.max", "max 100000", null],
    ["cpuMillis", "/sys/fs/cgroup/ns/id/cpu.max", "50000 100000", 500],
    [
      "memoryBytes",
      "/sys/fs/cgroup/memory/ns/id/memory.limit_in_bytes",
      "9223372036854771712",
      null,
    ],
    ["memoryBytes", "/sys/fs/cgroup/ns/id/memory.max", "max", null],
    ["memoryBytes", "/sys/fs/cgroup/ns/id/memory.max", "8192000", 8_192_000],
    ["pidsMax", "/sys/fs/cgroup/pids/ns/id/pids.max", "max", null],
    ["cpuset", "/sys/fs/cgroup/ns/id/cpuset.cpus", "", null],
    ["cpuset", "/sys/fs/cgroup/ns/id/cpuset.cpus", "3", "3"],
  ] as const)("%s by %s: %s", (field, file, text, expected) => {
    expect(effectiveLimits(stored(ASKED), filesOf({ [file]: text }))[field]).toBe(expected);
  });

  test("what no file tells is as stored", () => {
    expect(effectiveLimits(stored(ASKED), new Map())).toEqual(ASKED);
  });
});

describe("limitFiles()", () => {
  test("asks for files of limits that are set, and of no others", () => {
    expect(limitFiles(stored({}))).toEqual([]);
    expect(limitFiles(stored({ pidsMax: 5 }))).toEqual([
      "/sys/fs/cgroup/pids/ns/id/pids.max",
      "/sys/fs/cgroup/ns/id/pids.max",
    ]);
  });
});
