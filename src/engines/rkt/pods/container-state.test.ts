import { describe, expect, test } from "vitest";
import { appName } from "../layout.ts";
import { standingOf } from "./container-state.ts";
import type { RktPod, SeenPod, SeenPods } from "./read-pods.ts";

const IDENTITY = { owner: "me", fleet: "shop", host: "a", pod: "web", generation: 1 };
const APP = appName(IDENTITY, "main");
const UUID = "1ad623e0-0c16-4b91-953a-d0a2c12991a8";
const AT = "2026-11-25T22:00:00Z";

function standing(
  found: {
    readonly phase?: string;
    readonly pid?: number;
    readonly exit?: string;
    readonly processes?: readonly number[];
    readonly supervised?: boolean;
  } = {},
) {
  const { phase, pid, exit, processes, supervised = false } = found;
  const rktPod: RktPod[] =
    phase === undefined
      ? []
      : [{ uuid: UUID, phase, apps: [APP], manifest: undefined, manifestText: undefined }];
  const pod = {
    identity: IDENTITY,
    file: { containers: { main: { uuid: UUID } } },
    pids: new Map(pid === undefined ? [] : [["main", pid]]),
    exits: new Map(exit === undefined ? [] : [["main", exit]]),
  } as unknown as SeenPod;
  const seen = {
    rktPods: rktPod,
    processes: new Map(processes === undefined ? [] : [[APP, processes]]),
    supervised: new Map(supervised ? [[APP, [8]]] : []),
  } as unknown as SeenPods;
  const { rktPod: _, ...told } = standingOf(seen, pod, "main");
  return told;
}

describe("standingOf()", () => {
  test("a prepared pod of rkt's is prepared, and one that is not made to its end is missing", () => {
    expect(standing({ phase: "prepared" })).toEqual({ state: "prepared" });
    expect(standing({ phase: "prepare" })).toEqual({ state: "missing" });
    expect(standing()).toEqual({ state: "missing" });
  });

  test("a pod in a folder that no rkt knows is unknown", () => {
    expect(standing({ phase: "paused" })).toEqual({ state: "unknown" });
    expect(standing({ phase: "exited-garbage" })).toEqual({ state: "exited" });
  });

  test("processes in its cgroup run, whatever rkt calls the pod", () => {
    expect(standing({ phase: "run", pid: 7, processes: [7, 8] })).toEqual({
      state: "running",
      pid: 7,
    });
    // its supervisor was killed: rkt says exited, and its processes go on
    expect(standing({ phase: "exited-garbage", pid: 7, processes: [8] })).toEqual({
      state: "running",
      pid: 8,
    });
  });

  test("a process id of an earlier boot is nobody's", () => {
    expect(standing({ phase: "run", pid: 7 })).toEqual({ state: "exited" });
    expect(standing({ phase: "run" })).toEqual({ state: "exited" });
  });

  test("how it ended is our own record: rkt's codes are bare signals, and lost by a stop", () => {
    const exitedAt = "2026-11-25T22:00:00.000Z";
    expect(standing({ phase: "run", pid: 7, exit: `137 ${AT} \n` })).toEqual({
      state: "exited",
      exitCode: 137,
      exitedAt,
    });
    expect(standing({ phase: "prepared", exit: `- ${AT}\n` })).toEqual({
      state: "exited",
      exitedAt,
    });
    // somebody's collector took the pod away
    expect(standing({ exit: `0 ${AT}\n` })).toMatchObject({ state: "exited", exitCode: 0 });
  });

  test("while its end is being written it is not yet told", () => {
    expect(standing({ phase: "run", pid: 7, supervised: true })).toEqual({ state: "running" });
  });

  test("a record that was cut off tells nothing", () => {
    expect(standing({ phase: "run", pid: 7, exit: "13" })).toEqual({ state: "exited" });
  });
});
