import { describe, expect, test } from "vitest";
import { type CgroupHome, cgroupDirs, limitChanges, limitWrites, processDir } from "./cgroups.ts";

const V1: CgroupHome = { version: 1, systemd: false, scope: "stw-rkt-0" };
const V2: CgroupHome = { version: 2, systemd: false, scope: "stw-rkt-0" };
const SYSTEMD: CgroupHome = { ...V2, systemd: true };
const MIB = 1024 * 1024;

describe("cgroups", () => {
  test("are one a controller on version 1, one in all on version 2, and below the unit with systemd", () => {
    expect(cgroupDirs(V1, "stw-x")).toEqual([
      "/sys/fs/cgroup/cpu/stw-rkt-0/stw-x",
      "/sys/fs/cgroup/cpuset/stw-rkt-0/stw-x",
      "/sys/fs/cgroup/memory/stw-rkt-0/stw-x",
      "/sys/fs/cgroup/pids/stw-rkt-0/stw-x",
    ]);
    expect(cgroupDirs(V2, "stw-x")).toEqual(["/sys/fs/cgroup/stw-rkt-0/stw-x"]);
    expect(processDir(SYSTEMD, "stw-x")).toBe("/sys/fs/cgroup/system.slice/stw-x.service/stw-x");
  });

  test("limits are written in the words of the version", () => {
    const limits = { cpuMillis: 250, memoryBytes: 64 * MIB, memorySwapBytes: 80 * MIB, pidsMax: 9 };
    expect(limitWrites(V1, "a", limits)).toEqual([
      ["/sys/fs/cgroup/cpu/stw-rkt-0/a/cpu.cfs_period_us", "100000"],
      ["/sys/fs/cgroup/cpu/stw-rkt-0/a/cpu.cfs_quota_us", "25000"],
      ["/sys/fs/cgroup/memory/stw-rkt-0/a/memory.limit_in_bytes", String(64 * MIB)],
      ["/sys/fs/cgroup/memory/stw-rkt-0/a/memory.memsw.limit_in_bytes", String(80 * MIB)],
      ["/sys/fs/cgroup/pids/stw-rkt-0/a/pids.max", "9"],
    ]);
    expect(limitWrites(V2, "a", limits)).toEqual([
      ["/sys/fs/cgroup/stw-rkt-0/a/cpu.max", "25000 100000"],
      ["/sys/fs/cgroup/stw-rkt-0/a/memory.max", String(64 * MIB)],
      ["/sys/fs/cgroup/stw-rkt-0/a/memory.swap.max", String(16 * MIB)],
      ["/sys/fs/cgroup/stw-rkt-0/a/pids.max", "9"],
    ]);
  });

  test("a limit that is gone is lifted by name", () => {
    const before = { cpuset: "0", pidsMax: 9, memoryReservationBytes: MIB, cpuShares: 4 };
    expect(limitChanges(V1, "a", before, {}, "0-3").map(([, value]) => value)).toEqual([
      "0-3",
      "max",
      "-1",
      "1024",
    ]);
    expect(limitChanges(V2, "a", before, {}, "0-3").map(([, value]) => value)).toEqual([
      "0-3",
      "max",
      "0",
      "100",
    ]);
  });
});
