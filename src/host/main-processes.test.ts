import { expect, test } from "vitest";
import type { HostReader } from "./host.ts";
import { runningOn } from "./main-processes.ts";

const PID = 70;
const CGROUP = "/stowage/stw-web";

/** Of proc_pid_stat(5) what is looked at; the name has what a name may have. */
const stat = (state = "S", startedAt = "4711"): string =>
  `${PID} (a) b) ${state} 60 ${"0 ".repeat(17)}${startedAt} 0`;

const RUNNING: Readonly<Record<string, string>> = {
  [`/proc/${PID}/stat`]: stat(),
  [`/proc/${PID}/cgroup`]: `12:pids:${CGROUP}\n1:name=systemd:/\n`,
  [`/sys/fs/cgroup/freezer${CGROUP}/freezer.state`]: "THAWED\n",
};

function hostOf(files: Readonly<Record<string, string>>): HostReader {
  const snapshot = async ({ files: wanted = [] }: { readonly files?: readonly string[] }) => ({
    files: new Map(
      wanted.flatMap((path) => {
        const clean = path.replaceAll("//", "/");
        return clean in files ? [[path, files[clean] ?? ""] as const] : [];
      }),
    ),
  });
  return { snapshot } as unknown as HostReader;
}

const look = (over: Readonly<Record<string, string>> = {}, startedAt?: string) =>
  runningOn(
    hostOf({ ...RUNNING, ...over }),
    [{ pid: PID, startedAt, cgroup: CGROUP, cgroupPaths: [CGROUP] }],
    undefined,
  );

test("a process that runs is told with when it began", async () => {
  expect(await look()).toEqual(new Map([[PID, "4711"]]));
  expect(await look({}, "4711")).toEqual(new Map([[PID, "4711"]]));
});

test.each([
  ["is gone", { [`/proc/${PID}/stat`]: "" }],
  ["has ended", { [`/proc/${PID}/stat`]: stat("Z") }],
  ["is another one with its number", { [`/proc/${PID}/stat`]: stat("S", "4712") }],
  ["is in no cgroup of it", { [`/proc/${PID}/cgroup`]: "12:pids:/\n" }],
  ["is in the cgroup of a longer name", { [`/proc/${PID}/cgroup`]: `12:pids:${CGROUP}-2\n` }],
  ["was paused", { [`/sys/fs/cgroup/freezer${CGROUP}/freezer.state`]: "FROZEN\n" }],
  ["was paused, on version 2", { [`/sys/fs/cgroup${CGROUP}/cgroup.freeze`]: "1\n" }],
])("one that %s does not run on", async (_, over) => {
  expect(await look(over, "4711")).toEqual(new Map());
});

test("a cgroup of the container below its own is its own", async () => {
  const inside = { [`/proc/${PID}/cgroup`]: `0::${CGROUP}/init\n` };
  expect(await look(inside)).toEqual(new Map([[PID, "4711"]]));
});
