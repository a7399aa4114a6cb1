import { expect, test, vi } from "vitest";
import type { PodInstance } from "../../../engine/index.ts";
import type { HostReader } from "../../../host/index.ts";
import { freshPod, seeFresh } from "./fresh-pods.ts";

const ID = "a".repeat(64);
const CGROUP = `/libpod_parent/libpod-${ID}`;
const [MAIN, CHILD, CONMON] = [70, 71, 60];

/** Of proc_pid_stat(5) what is looked at; the name has what a name may have. */
const stat = (pid: number, parent: number, state = "S", startedAt = "4711"): string =>
  `${pid} (a) b) ${state} ${parent} ${"0 ".repeat(17)}${startedAt} 0`;

const RUNNING: Readonly<Record<string, string>> = {
  [`/proc/${MAIN}/stat`]: stat(MAIN, CONMON),
  [`/proc/${MAIN}/cmdline`]: "/bin/app\0",
  [`/proc/${MAIN}/cgroup`]: `12:pids:${CGROUP}\n`,
  [`/proc/${CHILD}/stat`]: stat(CHILD, MAIN),
  [`/proc/${CHILD}/cmdline`]: "/bin/worker\0",
};

function hostOf(files: Readonly<Record<string, string>>): HostReader {
  const snapshot = async ({ files: wanted = [] }: { readonly files?: readonly string[] }) => ({
    files: new Map(wanted.flatMap((path) => (path in files ? [[path, files[path] ?? ""]] : []))),
  });
  return { snapshot } as unknown as HostReader;
}

const pod = {
  identity: { owner: "acme", fleet: "shop", host: "edge", pod: "web", generation: 2 },
  spec: { containers: { main: { image: "app:1" } } },
  images: { main: { reference: "app:1", digest: "sha256:1" } },
  recordDigest: "sha256:2",
} as unknown as PodInstance;

const found = (files: Readonly<Record<string, string>> = RUNNING, pids = [CHILD, MAIN]) =>
  freshPod(hostOf(files), pod, { id: ID, pids }, undefined);

async function seen(files: Readonly<Record<string, string>>) {
  const fresh = await found();
  return fresh === undefined ? undefined : await seeFresh(hostOf(files), [fresh], undefined);
}

test("a container's first process is the one that none of the others began", async () => {
  expect(await found()).toMatchObject({ container: "main", pid: MAIN, startedAt: "4711" });
});

test.each([
  ["it is still the runtime's", { [`/proc/${MAIN}/cmdline`]: "runc\0init\0" }],
  ["it has no command line yet", { [`/proc/${MAIN}/cmdline`]: "" }],
  ["it has ended", { [`/proc/${MAIN}/stat`]: stat(MAIN, CONMON, "Z") }],
  ["another one came in from outside", { [`/proc/${CHILD}/stat`]: stat(CHILD, 1) }],
])("there is none while %s", async (_, over) => {
  expect(await found({ ...RUNNING, ...over })).toBeUndefined();
});

test("the same process still runs: that is all that is told of the pod", async () => {
  expect(await seen(RUNNING)).toMatchObject([
    {
      ...pod.identity,
      recordDigest: pod.recordDigest,
      state: "running",
      containers: { main: { state: "running", pid: MAIN, reported: {} } },
    },
  ]);
});

test.each([
  ["is gone", { [`/proc/${MAIN}/stat`]: "" }],
  [
    "was paused",
    { [`/sys/fs/cgroup/freezer/libpod_parent/libpod-${ID}/freezer.state`]: "FROZEN\n" },
  ],
])("podman is asked where the process %s", async (_, over) => {
  expect(await seen({ ...RUNNING, ...over })).toEqual([]);
});

test("podman is asked when that was some time ago", async () => {
  const fresh = await found();
  vi.spyOn(performance, "now").mockReturnValue((fresh?.seenAt ?? 0) + 60_000);
  expect(await seeFresh(hostOf(RUNNING), fresh === undefined ? [] : [fresh], undefined)).toEqual(
    [],
  );
});
