import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FleetManifest } from "../../src/model/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";
import { EngineEvents } from "../support/engine-events.ts";
import { freePort } from "../support/free-port.ts";
import { hostListing } from "../support/host-listing.ts";
import { killShim } from "../support/kill-shim.ts";

const OTHER = /what listens there does not answer like containerd/;
const MEBIBYTE = 1024 * 1024;
const run = { image: "app:1", command: ["sleep", "100000"], stopSignal: "SIGKILL" };
const volumes = { data: { kind: "named", name: "data" } };
const mounts = [{ volume: "data", path: "/data" }];
const limited = { ...run, resources: { memoryBytes: 64 * MEBIBYTE, pidsMax: 50 } };
const folder = mkdtempSync(join(tmpdir(), "stw-plan-"));
let main: string;

beforeAll(async () => {
  main = await buildOwnCli(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as it is shipped. It may not block: it may have to be answered. */
async function stowage(...argv: readonly string[]): Promise<Run> {
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
  const child = spawn(process.execPath, [main, ...argv], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stdout, stderr };
}

async function expectConverged(fleet: ContainerdFleet, manifest: FleetManifest): Promise<void> {
  const { pods, hostChanges } = await fleet.plan(manifest);
  expect({ pods, hostChanges }).toEqual({ pods: [], hostChanges: [] });
}

async function applyAll(fleet: ContainerdFleet, manifest: FleetManifest): Promise<void> {
  const report = await fleet.apply(manifest);
  expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
  await expectConverged(fleet, manifest);
}

/** Ids of tasks of a pod's container that are in a state. */
function taskIds(fleet: ContainerdFleet, start: string, state = "RUNNING"): readonly string[] {
  return fleet
    .ctr("tasks", "ls")
    .split("\n")
    .filter((line) => line.startsWith(`stw-${start}-`) && line.includes(state))
    .map((line) => line.split(/\s+/)[0] as string);
}

/** The one task of a container. */
function taskId(fleet: ContainerdFleet, start: string): string {
  const ids = taskIds(fleet, start);
  expect(ids).toHaveLength(1);
  return ids[0] as string;
}

async function kill(fleet: ContainerdFleet, start: string): Promise<void> {
  fleet.ctr("tasks", "kill", "-s", "SIGKILL", taskId(fleet, start));
  await expect.poll(() => taskIds(fleet, start).length, { interval: 20 }).toBe(0);
}

describeWithEngine("containerd", "what must hold of a plan on containerd", (containerd) => {
  let fleet: ContainerdFleet;
  let manifest: FleetManifest;

  beforeAll(async () => {
    fleet = new ContainerdFleet(containerd.address);
    fleet.image("app:1");
    manifest = fleet.manifest({
      solo: { volumes, containers: { main: { ...limited, mounts } } },
      pair: { containers: { one: run, two: run } },
    });
  });
  afterAll(() => fleet[Symbol.asyncDispose]());

  test("it makes nothing where nothing was ever applied, not even a namespace", async () => {
    await using fresh = new ContainerdFleet(containerd.address);
    fresh.image("app:1");
    const file = fresh.write("fleet", fresh.manifest({ web: { containers: { main: run } } }));
    await using events = await EngineEvents.open(fresh);
    const before = hostListing(fresh);
    const { status, stderr } = await stowage("plan", "-f", file);
    expect({ status, stderr }).toEqual({ status: 2, stderr: "" });
    expect(hostListing(fresh)).toEqual(before);
    expect(await events.take()).toEqual([]);
    expect(fresh.ctr("namespaces", "ls", "-q").split("\n")).not.toContain(fresh.namespace);
    expect(existsSync(fresh.host.stateDir) || existsSync(fresh.host.runDir)).toBe(false);
  });

  test("it changes nothing where a fleet runs, as it should or after a kill", async () => {
    await applyAll(fleet, manifest);
    await using events = await EngineEvents.open(fleet);
    fleet.image("app:2");
    const other = fleet.manifest({
      solo: { containers: { main: { ...run, image: "app:2" } } },
      pair: { containers: { one: run, two: run } },
    });
    const expectReadOnly = async (planned: FleetManifest, status: number) => {
      const file = fleet.write("fleet", planned);
      await events.take();
      const before = hostListing(fleet);
      expect(await stowage("plan", "-f", file)).toMatchObject({ status, stderr: "" });
      expect(hostListing(fleet)).toEqual(before);
      expect(await events.take()).toEqual([]);
    };
    await expectReadOnly(manifest, 0);
    await expectReadOnly(other, 2);
    await kill(fleet, "solo-main");
    expect(await events.take()).toContainEqual(expect.stringContaining("/tasks/exit"));
    await expectReadOnly(manifest, 2);
    await applyAll(fleet, manifest);
  });

  const gone = "it is gone: somebody removed it from the engine";
  const drifts: readonly [
    title: string,
    harm: () => Promise<void> | void,
    change: { readonly id: string; readonly action: string; readonly reason: object },
  ][] = [
    [
      "a process that was killed",
      () => kill(fleet, "solo-main"),
      {
        id: "here/solo",
        action: "start",
        reason: {
          kind: "state",
          text: expect.stringMatching(/^it was killed by signal 9 \(exit 137\) at 20\d\d-/),
        },
      },
    ],
    [
      "a task that was deleted",
      () => void fleet.ctr("tasks", "rm", "-f", taskId(fleet, "solo-main")),
      {
        id: "here/solo",
        action: "start",
        reason: { kind: "state", text: "it ended, its exit code is not known" },
      },
    ],
    [
      "a shim that was killed",
      async () => {
        killShim(fleet.namespace, taskId(fleet, "solo-main"));
        await expect.poll(() => taskIds(fleet, "solo-main").length, { interval: 20 }).toBe(0);
      },
      // containerd may still be at taking away what the shim left
      {
        id: "here/solo",
        action: expect.stringMatching(/^(?:start|replace)$/),
        reason: { kind: "state" },
      },
    ],
    [
      "a container that was deleted, of a pod of two",
      () => {
        const id = taskId(fleet, "pair-one");
        fleet.ctr("tasks", "rm", "-f", id);
        fleet.ctr("containers", "rm", id);
      },
      { id: "here/pair", action: "replace", reason: { path: "containers.one", text: gone } },
    ],
    [
      "all containers of a pod deleted",
      () => {
        const id = taskId(fleet, "solo-main");
        fleet.ctr("tasks", "rm", "-f", id);
        fleet.ctr("containers", "rm", id);
      },
      { id: "here/solo", action: "create", reason: { text: expect.stringContaining("gone") } },
    ],
    [
      "a snapshot that was deleted",
      () => {
        const id = taskId(fleet, "solo-main");
        fleet.ctr("tasks", "rm", "-f", id);
        fleet.ctr("snapshots", "rm", id);
      },
      {
        id: "here/solo",
        action: "replace",
        reason: { kind: "drift", text: expect.stringContaining("somebody deleted its snapshot") },
      },
    ],
    [
      "a memory limit that was changed in the kernel",
      () => writeFileSync(memoryFile(taskPid("solo-main")), String(48 * MEBIBYTE)),
      {
        id: "here/solo",
        action: "update",
        reason: {
          kind: "drift",
          path: "containers.main.resources.memoryBytes",
          before: 48 * MEBIBYTE,
          after: 64 * MEBIBYTE,
          verdict: "live",
        },
      },
    ],
    [
      "a process that was paused",
      () => void fleet.ctr("tasks", "pause", taskId(fleet, "solo-main")),
      { id: "here/solo", action: "start", reason: { kind: "state", text: "it is paused" } },
    ],
  ];

  test.each(drifts)("it says, and apply mends: %s", async (_, harm, { id, action, reason }) => {
    await applyAll(fleet, manifest);
    await harm();
    const { pods, hostChanges } = await fleet.plan(manifest);
    expect({ pods, hostChanges }).toEqual({
      pods: [
        expect.objectContaining({
          id,
          action,
          reasons: expect.arrayContaining([expect.objectContaining(reason)]),
        }),
      ],
      hostChanges: [],
    });
    await applyAll(fleet, manifest);
    const running = ["solo-main", "pair-one", "pair-two"].map(
      (each) => taskIds(fleet, each).length,
    );
    expect(running).toEqual([1, 1, 1]);
    expect(memoryLimit(taskPid("solo-main"))).toBe(64 * MEBIBYTE);
  });

  test("it says, and apply mends: an image that was deleted", async () => {
    await applyAll(fleet, manifest);
    const name = fleet.ctr("images", "ls", "-q").trim();
    fleet.ctr("images", "rm", "--sync", name);
    const { pods, hostChanges } = await fleet.plan(manifest);
    expect(pods).toEqual([]);
    expect(hostChanges).toEqual([expect.objectContaining({ action: "import", host: "here" })]);
    expect(hostChanges[0]?.text).toContain("app:1");
    await applyAll(fleet, manifest);
    expect(fleet.ctr("images", "ls", "-q").trim()).toBe(name);
  });

  function taskPid(start: string): number {
    const id = taskId(fleet, start);
    const line = fleet
      .ctr("tasks", "ls")
      .split("\n")
      .find((each) => each.startsWith(id));
    return Number(line?.split(/\s+/)[1]);
  }

  test("a port that another process has is refused, with its name and process id", async () => {
    const port = await freePort();
    const program = `require("node:http").createServer().listen(${port}, () => console.log("up"))`;
    const holder = spawn(process.execPath, ["-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void holder.kill("SIGKILL"));
    await once(holder.stdout, "data");
    const wanted = fleet.manifest({
      solo: { volumes, containers: { main: { ...limited, mounts } } },
      pair: { containers: { one: run, two: run } },
      web: { network: { mode: "host" }, ports: [{ host: port }], containers: { main: run } },
    });
    const file = fleet.write("port", wanted);
    const name = readFileSync(`/proc/${holder.pid}/comm`, "utf8").trim();
    const reason = `hosts.here.pods.web.ports[${port}/tcp]: port ${port}/tcp of the host is taken by ${name} (pid ${holder.pid})`;
    const before = hostListing(fleet);
    const plan = await stowage("plan", "-f", file);
    expect(plan).toMatchObject({ status: 1, stdout: "" });
    expect(plan.stderr).toContain(reason);
    expect(hostListing(fleet)).toEqual(before);
    const apply = await stowage("apply", "--yes", "-f", file);
    expect(apply.status).toBe(1);
    expect(apply.stderr).toContain(reason);
    expect(fleet.ctr("containers", "ls", "-q")).not.toContain("stw-web-");
    holder.kill("SIGKILL");
    await once(holder, "close");
    expect((await stowage("plan", "-f", file)).status).toBe(2);
  });
});

describe("a socket that is of no use", () => {
  async function listen(server: Server, path: string): Promise<void> {
    server.listen(path);
    await once(server, "listening");
    onTestFinished(() => void server.close());
  }

  test.each([
    ["absent", async () => {}, /there is no such socket; start containerd/],
    [
      "refusing",
      async (path: string) => {
        // a killed process leaves its socket's file behind
        const program = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
        const child = spawn(process.execPath, ["-e", program]);
        await once(child, "close");
        expect(existsSync(path)).toBe(true);
      },
      /nothing listens there; start containerd/,
    ],
    [
      "of a web server",
      async (path: string) =>
        listen(
          createHttpServer((_, answer) => answer.end("hello")),
          path,
        ),
      OTHER,
    ],
    [
      "of somebody who never answers",
      async (path: string) =>
        listen(
          createServer(() => {}),
          path,
        ),
      OTHER,
    ],
    [
      "of somebody who hangs up",
      async (path: string) =>
        listen(
          createServer((socket) => socket.destroy()),
          path,
        ),
      OTHER,
    ],
    ["no socket but a file", async (path: string) => writeFileSync(path, ""), /it is not a socket/],
  ] as const)(
    "%s: exit 1, its place named, no stack, nothing made",
    async (title, prepare, why) => {
      const dir = join(folder, title.replaceAll(" ", "-").slice(0, 12));
      const socket = `${dir}.sock`;
      await prepare(socket);
      const fleet = FleetManifest.parse({
        version: "stowage/v1",
        name: "shop",
        id: "owner-1",
        hosts: {
          here: {
            address: "local",
            engine: { kind: "containerd", socket },
            stateDir: join(dir, "state"),
            runDir: join(dir, "run"),
            pods: {
              web: { containers: { main: { ...run, image: `app:1@sha256:${"0".repeat(64)}` } } },
            },
          },
        },
      });
      const file = `${dir}.json`;
      writeFileSync(file, JSON.stringify(fleet));
      const commands = [["plan"], ["apply", "--yes"], ["ps"], ["destroy", "--yes"]];
      const runs = await Promise.all(commands.map((argv) => stowage(...argv, "-f", file)));
      for (const [at, { status, stdout, stderr }] of runs.entries()) {
        const told = `${commands[at]}: ${stdout}${stderr}`;
        expect(status, told).toBe(1);
        expect(told).toMatch(/\bhere\b/);
        expect(told).toContain(`"${socket}"`);
        expect(told).toMatch(why);
        expect(told).not.toMatch(/^\s+at |Internal error/m);
      }
      expect(existsSync(dir)).toBe(false);
    },
  );
});

/** Files of the kernel for a process's memory limit, by the version of its cgroups. */
function memoryFile(pid: number): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
  const path = (controller: string) =>
    lines.find((line) => line.split(":")[1] === controller)?.split(":")[2];
  const v1 = path("memory");
  return v1 === undefined
    ? `/sys/fs/cgroup${path("")}/memory.max`
    : `/sys/fs/cgroup/memory${v1}/memory.limit_in_bytes`;
}

function memoryLimit(pid: number): number {
  return Number(readFileSync(memoryFile(pid), "utf8"));
}
