import { execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { PodInstance } from "../../src/engine/index.ts";
import { connect } from "../../src/engines/containerd/client/connection.ts";
import {
  createContainer,
  deleteContainer,
  listContainers,
} from "../../src/engines/containerd/pods/container-records.ts";
import { openLocalHost } from "../../src/host/index.ts";
import { mapLimited } from "../../src/internal/index.ts";
import { objectName } from "../../src/model/index.ts";
import {
  conformanceNamespace,
  containerdFixture,
} from "../conformance/support/containerd-fixture.ts";
import { EngineUnderTest, SERVER, script } from "../conformance/support/engine-under-test.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import type { PrepareOrder } from "./containerd-pods/prepare-process.ts";

/** Kills inside Tasks.Create; each leaves another mess. */
const KILLS = 24;

describeWithEngine("containerd", "containerd pods", (containerd) => {
  const namespace = conformanceNamespace();
  let under: EngineUnderTest;
  let preparer: string;

  beforeAll(async () => {
    under = await EngineUnderTest.open(
      containerdFixture(
        () => containerd.address,
        () => namespace,
      ),
    );
    const bundle = mkdtempSync(join(tmpdir(), "stw-prep-"));
    preparer = join(bundle, "prepare-process.cjs");
    await build({
      entryPoints: [join(import.meta.dirname, "containerd-pods/prepare-process.ts")],
      outfile: preparer,
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20",
    });
    return () => rmSync(bundle, { recursive: true, force: true });
  });
  afterEach(async () => await under.cleanUp());
  afterAll(async () => await under?.opened.close());

  const ctr = (...args: readonly string[]): string =>
    execFileSync("ctr", ["-a", containerd.address, "-n", namespace, ...args], {
      encoding: "utf8",
    });

  const idOf = (pod: PodInstance, name = "main"): string => objectName(pod.identity, name, 76);

  test("what a SIGKILL inside prepare leaves is taken away entirely, and the same pod can be made", async () => {
    const ids: string[] = [];
    for (let round = 0; round < KILLS; round += 1) {
      const pod = under.pod({ main: SERVER });
      ids.push(idOf(pod));
      await prepareAndKill(pod, randomInt(2, 90));
      const seen = await under.observed(pod);
      expect([undefined, "incomplete", "prepared"]).toContain(seen?.state);
      await under.engine.remove(pod.identity);
      expect({ round, left: remnantsOf(idOf(pod)) }).toEqual({ round, left: [] });
      await under.engine.prepare(pod);
      await under.engine.start(pod);
      expect((await under.observed(pod))?.state).toBe("running");
      await under.engine.remove(pod.identity);
    }
    // a daemon may still be at work on a create that nobody waits for
    await delay(1000);
    expect(remnantsOf(...ids)).toEqual([]);
  });

  test("a bundle that keeps its id from being used again goes with the pod", async () => {
    const pod = await under.prepared({ main: SERVER });
    const bundle = bundleOf(pod);
    await under.engine.remove(pod.identity);
    execFileSync("mkdir", ["-p", bundle]);
    await expect(under.engine.prepare(pod)).rejects.toMatchObject({
      code: "failed_precondition",
      message: expect.stringMatching(/file exists/),
    });
    expect(existsSync(bundle)).toBe(false);
    await under.engine.prepare(pod);
    expect((await under.observed(pod))?.state).toBe("prepared");
  });

  test("a bundle that belongs to no container is a leftover, and can be removed", async () => {
    const pod = await under.prepared({ main: SERVER });
    const bundle = `${bundleOf(pod)}x`;
    await under.engine.remove(pod.identity);
    execFileSync("mkdir", ["-p", bundle]);
    const name = `${idOf(pod)}x`;
    expect((await under.engine.observe()).leftovers).toEqual([{ name, what: "bundle" }]);
    await under.engine.removeLeftover(name);
    expect(existsSync(bundle)).toBe(false);
  });

  test("a task whose record somebody deleted is a leftover, and is ended with it", async () => {
    const pod = await under.started({ main: SERVER });
    const id = idOf(pod);
    const { pid } = await under.container(pod);
    await deleteRecord(id);
    expect(await under.observed(pod)).toBeUndefined();
    const { leftovers } = await under.engine.observe();
    expect(leftovers).toEqual([{ name: id, what: expect.stringMatching(/task|bundle/) }]);
    await under.engine.removeLeftover(id);
    expect(isAlive(Number(pid))).toBe(false);
    expect(remnantsOf(id)).toEqual([]);
  });

  test("a container whose shim was killed is exited, and starts again on its files", async () => {
    const pod = await under.started({
      main: script("cat /tmp/kept; echo x > /tmp/kept; sleep 1000"),
    });
    await under.until(async () => (await under.exec(pod, "[ -s /tmp/kept ]")) === 0 || undefined);
    process.kill(shimOf(idOf(pod)), "SIGKILL");
    await under.until(async () => (await under.observed(pod))?.state === "exited" || undefined);
    expect((await under.container(pod)).exitCode).toBeUndefined();
    await under.engine.start(pod);
    await under.printed(pod, "x");
    expect((await under.observed(pod))?.state).toBe("running");
  });

  test("a shim that hangs is unknown, never gone, and its pod can be removed", async () => {
    const pod = await under.started({ main: SERVER });
    const shim = shimOf(idOf(pod));
    process.kill(shim, "SIGSTOP");
    expect((await under.observed(pod))?.state).toBe("unknown");
    await under.engine.remove(pod.identity);
    expect(isAlive(shim)).toBe(false);
    expect(remnantsOf(idOf(pod))).toEqual([]);
  });

  test("a paused container is reported as such, goes on with start, and stops", async () => {
    const pod = await under.started({ main: SERVER });
    const { pid } = await under.container(pod);
    ctr("tasks", "pause", idOf(pod));
    expect(await under.container(pod)).toMatchObject({ state: "paused" });
    await under.engine.start(pod);
    expect(await under.container(pod)).toMatchObject({ state: "running", pid });
    ctr("tasks", "pause", idOf(pod));
    await under.engine.stop(pod.identity);
    expect((await under.observed(pod))?.state).toBe("exited");
  });

  test("a limit that was changed behind Stowage's back is reported as the kernel has it", async () => {
    const resources = {
      memoryBytes: 64 * 1024 * 1024,
      pidsMax: 100,
      cpuMillis: 500,
      cpuShares: 512,
    };
    const pod = await under.started({ main: { ...SERVER, resources } });
    const told = (value: object): object =>
      Object.fromEntries(Object.entries(value).map(([key, each]) => [`resources.${key}`, each]));
    expect((await under.container(pod)).reported).toMatchObject(told(resources));
    const file = join(cgroupOf(pod, "pids"), "pids.max");
    writeFileSync(file, "max");
    expect((await under.container(pod)).reported).toMatchObject(
      told({ ...resources, pidsMax: null }),
    );
    await under.engine.update(pod);
    expect((await under.container(pod)).reported).toMatchObject(told(resources));
  });

  test("a live limit survives the process, since the stored spec has it too", async () => {
    const pod = await under.started({ main: { ...SERVER, resources: { pidsMax: 50 } } });
    const main = { ...SERVER, image: under.base.reference, resources: { pidsMax: 77 } };
    const next = under.again(pod, { containers: { main } });
    await under.engine.update(next);
    await under.opened.killContainer(pod.identity, "main");
    await under.ended(pod);
    await under.engine.start(next);
    expect(readFileSync(join(cgroupOf(next, "pids"), "pids.max"), "utf8").trim()).toBe("77");
    const { Labels: labels } = JSON.parse(ctr("containers", "info", idOf(pod))) as {
      Labels: object;
    };
    expect(labels).toMatchObject({
      "io.stowage.record": next.recordDigest,
      "io.stowage.pod": pod.identity.pod,
      "io.stowage.owner": pod.identity.owner,
    });
  });

  test("a limit that the runtime may not raise is refused with what to do, and nothing is left", async () => {
    const nofile = { soft: 2_000_000_000, hard: 2_000_000_000 };
    const pod = under.pod({ main: { ...SERVER, ulimits: { nofile } } });
    await expect(under.engine.prepare(pod)).rejects.toMatchObject({
      code: "failed_precondition",
      message: expect.stringMatching(/rlimit.*; .*lower the hard value in ulimits$/),
    });
    expect(await under.observed(pod)).toBeUndefined();
    expect(remnantsOf(idOf(pod))).toEqual([]);
  });

  test("a command has no more rights than its container", async () => {
    const pod = await under.started({
      main: { ...SERVER, security: { capabilitiesDrop: ["ALL"] } },
    });
    const script =
      "grep -q '^NoNewPrivs:.1$' /proc/self/status && grep -q '^CapEff:.0*$' /proc/self/status";
    expect(await under.exec(pod, script)).toBe(0);
  });

  test("a command that cannot be run leaves no exec id behind", async () => {
    const pod = await under.started({ main: SERVER });
    for (let times = 0; times < 3; times += 1) {
      const running = under.engine.exec(pod.identity, "main", ["/nope"], { timeoutMs: 5000 });
      await expect(running).rejects.toMatchObject({ code: "failed_precondition" });
    }
    const listed = ctr("tasks", "ps", idOf(pod));
    expect(listed).not.toContain("stw-exec-");
  });

  test("a spec that somebody changed is told", async () => {
    const pod = await under.prepared({ main: SERVER });
    expect((await under.container(pod)).altered).toBeUndefined();
    ctr("containers", "label", idOf(pod), "io.stowage.spec=other");
    expect((await under.container(pod)).altered).toMatch(/changed by somebody else/);
  });

  test("containers of a pod keep their network when one of them starts anew", async () => {
    const pod = await under.started({ first: SERVER, second: SERVER });
    const netOf = async (name: string): Promise<string> =>
      execFileSync("readlink", [`/proc/${(await under.container(pod, name)).pid}/ns/net`], {
        encoding: "utf8",
      });
    const before = await netOf("first");
    expect(await netOf("second")).toBe(before);
    await under.opened.killContainer(pod.identity, "first");
    await under.ended(pod, "first");
    await under.engine.start(pod);
    expect(await netOf("first")).toBe(before);
    const file = `${under.opened.directories.runDir}/netns/${objectName(pod.identity)}`;
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toContain(file);
    await under.engine.remove(pod.identity);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(file);
    expect(existsSync(file)).toBe(false);
  });

  test("what a reboot takes is made again: tasks, the network's file, files about the network", async () => {
    const pod = await under.started({ first: script("sleep 1000"), second: script("sleep 1000") });
    const { runDir } = under.opened.directories;
    for (const name of ["first", "second"]) {
      ctr("tasks", "kill", "-s", "9", idOf(pod, name));
      await under.ended(pod, name);
      ctr("tasks", "rm", idOf(pod, name));
    }
    execFileSync("umount", [`${runDir}/netns/${objectName(pod.identity)}`]);
    rmSync(runDir, { recursive: true, force: true });
    expect((await under.observed(pod))?.state).toBe("exited");
    await under.engine.start(pod);
    expect((await under.observed(pod))?.state).toBe("running");
    expect(await under.exec(pod, "ip addr show lo | grep -q 'inet 127.0.0.1'", "second")).toBe(0);
    expect(await under.exec(pod, "grep -q localhost /etc/hosts", "first")).toBe(0);
  });

  test("a privileged container has every capability of the host, its devices, and no filter", async () => {
    const source =
      "grep ^Seccomp: /proc/self/status; grep ^CapEff /proc/self/status; ls /dev/kmsg; sleep 1000";
    const pod = await under.started({ main: script(source, { security: { privileged: true } }) });
    await under.printed(pod, "/dev/kmsg");
    const lines = (await under.lines(pod)).map((line) => line.replaceAll(/\s+/g, " "));
    const bounding = /^CapBnd:\s*(\S+)/m.exec(readFileSync("/proc/1/status", "utf8"))?.[1];
    expect(lines).toEqual(["Seccomp: 0", `CapEff: ${bounding}`, "/dev/kmsg"]);
  });

  test("a declared device is there with its rights, another is not", async () => {
    const security = { capabilitiesAdd: ["CAP_SYSLOG"] };
    const devices = [{ path: "/dev/kmsg", containerPath: "/dev/messages", permissions: "r" }];
    const pod = await under.started({ main: { ...SERVER, devices, security } });
    expect(await under.exec(pod, "head -c 1 /dev/messages >/dev/null")).toBe(0);
    expect(await under.exec(pod, "echo x 2>/dev/null >/dev/messages")).not.toBe(0);
    expect(await under.exec(pod, "mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem")).not.toBe(0);
  });

  test("more containers than fit into one message are all seen", async () => {
    const COUNT = 2300;
    const pod = await under.prepared({ main: SERVER });
    await using connection = await connect({
      host: openLocalHost(),
      socketPath: containerd.address,
    });
    const client = connection.inNamespace(namespace);
    const ids = Array.from({ length: COUNT }, (_, at) => `foreign-${at}`);
    const spec = {
      process: { user: { uid: 0, gid: 0 }, args: ["x"], cwd: "/" },
      annotations: { filler: "x".repeat(8000) },
      linux: {},
    };
    const common = {
      labels: {},
      image: "used",
      runtime: "io.containerd.runc.v2",
      snapshotter: "overlayfs",
    };
    try {
      await mapLimited(ids, 16, (id) => createContainer(client, { ...common, id, spec }));
      expect(await listContainers(client)).toHaveLength(COUNT + 1);
      expect((await under.observed(pod))?.state).toBe("prepared");
    } finally {
      await mapLimited(ids, 16, (id) => deleteContainer(client, id));
    }
  });

  async function prepareAndKill(pod: PodInstance, afterMs: number): Promise<void> {
    const order: PrepareOrder = {
      socket: containerd.address,
      namespace,
      directories: under.opened.directories,
      pod,
    };
    const child = spawn(process.execPath, [preparer, JSON.stringify(order)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const over = new Promise((resolve) => child.once("close", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await delay(afterMs);
    child.kill("SIGKILL");
    await over;
  }

  /** Processes, directories, mounts and records with one of these names. */
  function remnantsOf(...names: readonly string[]): readonly string[] {
    const isNamed = (text: string): boolean => names.some((name) => text.includes(name));
    const processes = readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .filter((pid) => isNamed(commandLine(pid)) && pid !== String(process.pid))
      .map((pid) => `process ${pid} ${commandLine(pid)}`);
    const places = [`/run/containerd/runc/${namespace}`, bundlesDir()];
    const directories = places
      .filter((place) => existsSync(place))
      .flatMap((place) => readdirSync(place).map((entry) => `${place}/${entry}`))
      .filter(isNamed);
    // those of another run are not this one's
    const own = [under.opened.directories.runDir, `/${namespace}/`];
    const mounts = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => isNamed(line) && own.some((place) => line.includes(place)));
    const records = [ctr("containers", "ls", "-q"), ctr("snapshots", "ls")].flatMap((text) =>
      text.split("\n").filter(isNamed),
    );
    return [...processes, ...directories, ...mounts, ...records];
  }

  /** Whether a process does anything still; one that nobody has asked how it ended does not. */
  function isAlive(pid: number): boolean {
    try {
      return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  }

  function commandLine(pid: string): string {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    } catch {
      return "";
    }
  }

  function shimOf(id: string): number {
    const pid = readdirSync("/proc").find(
      (entry) =>
        /^\d+$/.test(entry) &&
        commandLine(entry).includes(`containerd-shim-runc-v2 -namespace ${namespace} -id ${id} `),
    );
    if (pid === undefined) throw new Error(`There is no shim of ${id}`);
    return Number(pid);
  }

  /** Deletes a record and leaves its task alone, which ctr refuses to do. */
  async function deleteRecord(id: string): Promise<void> {
    await using connection = await connect({
      host: openLocalHost(),
      socketPath: containerd.address,
    });
    await deleteContainer(connection.inNamespace(namespace), id);
  }

  function bundlesDir(): string {
    const state = join(containerd.address, "../state");
    const base = existsSync(state) ? state : "/run/containerd";
    return join(base, "io.containerd.runtime.v2.task", namespace);
  }

  function bundleOf(pod: PodInstance): string {
    return join(bundlesDir(), idOf(pod));
  }

  function cgroupOf(pod: PodInstance, controller: string): string {
    const path = `${namespace}/${idOf(pod)}`;
    const v1 = `/sys/fs/cgroup/${controller}/${path}`;
    return existsSync(v1) ? v1 : `/sys/fs/cgroup/${path}`;
  }
});
