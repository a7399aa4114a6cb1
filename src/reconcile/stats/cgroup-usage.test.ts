import { expect, test } from "vitest";
import {
  ownCgroups,
  parseCgroups,
  processesFile,
  uncounted,
  usageFiles,
  usageOf,
} from "./cgroup-usage.ts";

test("usage is the same from cgroups of version 1, of version 2, and of both beside each other", () => {
  const memory = { usage: "5000\n", limit: "8000\n" };
  const all1 = parseCgroups("4:memory:/a\n3:pids:/a\n2:cpu,cpuacct:/a\n1:blkio:/a\n0::/\n");
  const v1 = ownCgroups(all1, []);
  const root = "/sys/fs/cgroup";
  const files1 = new Map([
    [`${root}/cpuacct/a/cpuacct.usage`, "2000000\n"],
    [`${root}/memory/a/memory.usage_in_bytes`, memory.usage],
    [`${root}/memory/a/memory.limit_in_bytes`, memory.limit],
    [`${root}/memory/a/memory.stat`, "inactive_file 1\ntotal_inactive_file 1000\n"],
    [`${root}/pids/a/pids.current`, "3\n"],
    [`${root}/pids/a/pids.max`, "max\n"],
    [
      `${root}/blkio/a/blkio.throttle.io_service_bytes`,
      "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n",
    ],
  ]);
  const v2 = parseCgroups("0::/a\n");
  const files2 = new Map([
    [`${root}/a/cpu.stat`, "usage_usec 2000\nuser_usec 1\n"],
    [`${root}/a/memory.current`, memory.usage],
    [`${root}/a/memory.max`, memory.limit],
    [`${root}/a/memory.stat`, "anon 1\ninactive_file 1000\n"],
    [`${root}/a/pids.current`, "3\n"],
    [`${root}/a/pids.max`, "max\n"],
    [`${root}/a/io.stat`, "8:0 rbytes=4 wbytes=20 rios=1\n8:16 rbytes=6 wbytes=0\n"],
  ]);
  const expected = {
    cpuUs: 2000,
    memoryBytes: 4000,
    memoryLimitBytes: 8000,
    pids: 3,
    readBytes: 10,
    writtenBytes: 20,
  };
  expect([...files1.keys()].every((path) => usageFiles(v1).includes(path))).toBe(true);
  expect(usageOf(v1, files1)).toEqual(expected);
  expect(uncounted(all1, v1)).toEqual([]);
  expect([...usageFiles(v2)].sort()).toEqual([...files2.keys()].sort());
  expect(usageOf(v2, files2)).toEqual(expected);
});

test("the root cgroup is nobody's: of a controller that a container is not in, nothing is told", () => {
  const all = parseCgroups("3:pids:/a\n2:cpuacct:/\n1:memory:/\n0::/\n");
  const paths = ownCgroups(all, []);
  expect(processesFile(paths)).toBe("/sys/fs/cgroup/pids/a/cgroup.procs");
  expect(usageFiles(paths).every((path) => path.startsWith("/sys/fs/cgroup/pids/a/"))).toBe(true);
  expect(usageOf(paths, new Map())).toEqual({});
  expect(uncounted(all, paths)).toEqual(["cpuUs", "memoryBytes", "readBytes"]);
});

test("a cgroup that another process is in, or below, is not a container's own", () => {
  const all = parseCgroups("3:pids:/session\n2:memory:/session/box\n1:cpuacct:/sess\n0::/\n");
  const session = parseCgroups("3:pids:/session/x\n2:memory:/session\n1:cpuacct:/session\n0::/\n");
  const own = ownCgroups(all, [session]);
  expect([...own.keys()]).toEqual(["memory", "cpuacct"]);
  expect(uncounted(all, own)).toEqual(["pids", "readBytes"]);
  expect([...ownCgroups(all, [parseCgroups("2:memory:/session/box\n")]).keys()]).toEqual([
    "pids",
    "cpuacct",
  ]);
});
