import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { mountsBelow, privatePodman } from "../../scripts/lib/private-podman.ts";
import { openPodman } from "../../src/engines/podman/index.ts";
import { openLocalHost } from "../../src/host/index.ts";
import { findOnPath } from "../../src/internal/index.ts";
import { EngineUnderTest, SERVER, script } from "../conformance/support/engine-under-test.ts";
import {
  openPodmanInFolder,
  type PodmanInFolder,
  podmanFixture,
} from "../conformance/support/podman-fixture.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";

describeWithEngine("podman", "what podman forgets", (podman) => {
  let opened: PodmanInFolder;
  let engine: EngineUnderTest;

  beforeEach(async () => {
    opened = await openPodmanInFolder(podman.address);
    const fixture = podmanFixture(() => podman.address);
    engine = await EngineUnderTest.open({ ...fixture, open: async () => opened });
  });
  afterEach(async () => {
    await engine.cleanUp();
    await opened.close();
  });

  const state = (id: string, field: string): number =>
    Number(opened.podman("inspect", "--format", `{{.State.${field}}}`, id).trim());
  const isAlive = (pid: number): boolean => {
    const file = `/proc/${pid}/cmdline`;
    // a zombie has none
    return existsSync(file) && readFileSync(file, "utf8") !== "";
  };

  /** Empties what a reboot empties. */
  const emptyRunDirectories = (): void => {
    for (const mount of mountsBelow(opened.folder).toReversed())
      spawnSync("umount", ["--lazy", mount]);
    for (const name of ["runroot", "tmp"])
      rmSync(join(opened.folder, name), { recursive: true, force: true });
  };

  const endConmon = async (id: string): Promise<void> => {
    const conmon = state(id, "ConmonPid");
    process.kill(conmon, "SIGKILL");
    await engine.until(async () => !isAlive(conmon) || undefined);
  };

  test("nothing is left of a container whose conmon was killed, in the runtime or in its cgroups", async () => {
    const pod = await engine.started({ main: SERVER });
    const named = await engine.container(pod);
    const id = opened.podman("inspect", "--format", "{{.Id}}", named.id).trim();
    const cgroups = (): readonly string[] =>
      ["pids/", "memory/", ""].flatMap((controller) => {
        const path = `/sys/fs/cgroup/${controller}libpod_parent/libpod-${id}`;
        return existsSync(path) ? [path] : [];
      });
    const state = ["runc", "crun"].map((runtime) => `/run/${runtime}/${id}`);
    await endConmon(id);
    expect(state.some((path) => existsSync(path))).toBe(true);
    expect(cgroups()).not.toEqual([]);
    await engine.engine.remove(pod.identity);
    expect(state.filter((path) => existsSync(path))).toEqual([]);
    expect(cgroups()).toEqual([]);
  });

  test.each([
    ["", () => {}],
    [" when podman's run directories were emptied", emptyRunDirectories],
  ])("nothing is left of the cgroups of a pod of several containers%s", async (_, forget) => {
    const pod = await engine.started({ main: SERVER, beside: SERVER });
    const podId = opened.podman("pod", "ps", "--quiet", "--no-trunc").trim();
    const ids = opened.podman("ps", "--all", "--quiet", "--no-trunc").trim().split("\n");
    expect(ids).toHaveLength(3);
    const cgroups = (...names: readonly string[]): readonly string[] =>
      ["", ...readdirSync("/sys/fs/cgroup")].flatMap((hierarchy) =>
        names
          .map((name) => join("/sys/fs/cgroup", hierarchy, "libpod_parent", name))
          .filter((path) => existsSync(path)),
      );
    // nobody would know whose it is where podman is killed before it knows the pod
    expect(cgroups(podId)).toEqual([]);
    const own = ids.map((id) => `libpod-${id}`);
    expect(cgroups(...own)).not.toEqual([]);
    forget();
    await engine.engine.remove(pod.identity);
    expect(cgroups(...own)).toEqual([]);
  });

  test("after a reboot a pod that ran is exited, without an exit code, and runs again", async () => {
    const pod = await engine.started({ main: SERVER });
    const { id, pid = 0 } = await engine.container(pod);
    await endConmon(id);
    process.kill(pid, "SIGKILL");
    await engine.until(async () => !isAlive(pid) || undefined);
    emptyRunDirectories();
    const found = await engine.container(pod);
    expect(found).toMatchObject({ state: "exited" });
    expect(found.exitCode).toBeUndefined();
    await engine.engine.start(pod);
    expect(await engine.container(pod)).toMatchObject({ state: "running" });
  });

  test("what podman would start again stays stopped, whoever comes first at its end", async () => {
    const restart = { policy: "always" } as const;
    const server = script("trap 'exit 0' TERM INT; sleep 1000 & wait");
    const asked = (signal: string) => ({ containers: { main: { signal } } });
    const pods = await Promise.all([
      // asked by podman itself, and where it has another signal, by us
      ...[1, 2, 3, 4].map(() => engine.started({ main: server }, { restart })),
      // ends as soon as it is started
      engine.started({ main: script("exit 1") }, { restart }),
    ]);
    const conmons = (): string =>
      spawnSync("pgrep", ["-f", `conmon.*${opened.folder}`]).stdout.toString();
    for (const signal of ["SIGTERM", "SIGINT"]) {
      await Promise.all(pods.map(({ identity }) => engine.engine.stop(identity, asked(signal))));
      // what starts one again is a child of its conmon
      await engine.until(async () => conmons() === "" || undefined);
      const states = pods.map(async (pod) => (await engine.container(pod)).state);
      expect(await Promise.all(states)).toEqual(pods.map(() => "exited"));
      await Promise.all(pods.map((pod) => engine.engine.start(pod)));
    }
  });

  describe("a process that goes on when podman's run directories were emptied", () => {
    test("runs, and is told; a start ends it before it runs another", async () => {
      const pod = await engine.started({ main: SERVER });
      const { id, pid = 0 } = await engine.container(pod);
      await endConmon(id);
      emptyRunDirectories();
      await engine.until(async () => {
        const { altered, ...found } = await engine.container(pod);
        expect(found).toMatchObject({ state: "running", pid });
        // podman itself notices with one of the first commands
        return altered?.includes("lost track") || undefined;
      });
      await engine.engine.start(pod);
      expect(isAlive(pid)).toBe(false);
      const next = await engine.container(pod);
      expect(next.state).toBe("running");
      expect(next.pid).not.toBe(pid);
    });

    test.each(["stop", "remove"] as const)("is ended by %s", async (method) => {
      const pod = await engine.started({ main: SERVER });
      const { id, pid = 0 } = await engine.container(pod);
      await endConmon(id);
      emptyRunDirectories();
      await engine.engine[method](pod.identity);
      expect(isAlive(pid)).toBe(false);
      expect((await engine.observed(pod))?.state).not.toBe("running");
    });
  });

  test("members of a pod whose own container was killed are told, and start anew with the next", async () => {
    const pod = await engine.started({ main: SERVER, other: SERVER });
    const [infra = ""] = opened
      .podman("ps", "--no-trunc", "--filter", "name=-infra", "--format", "{{.ID}}")
      .trim()
      .split("\n");
    const { id, pid = 0 } = await engine.container(pod, "main");
    process.kill(state(infra, "Pid"), "SIGKILL");
    await engine.until(
      async () => (await engine.container(pod, "main")).altered?.includes("network") || undefined,
    );
    await opened.killContainer(pod.identity, "other");
    await engine.ended(pod, "other");
    await engine.engine.start(pod);
    const namespace = async (name: string): Promise<string> => {
      const { pid: own = 0 } = await engine.container(pod, name);
      return spawnSync("readlink", [`/proc/${own}/ns/net`], { encoding: "utf8" }).stdout;
    };
    expect(await namespace("main")).toBe(await namespace("other"));
    expect((await engine.container(pod, "main")).id).toBe(id);
    expect((await engine.container(pod, "main")).pid).not.toBe(pid);
    expect(await engine.container(pod, "main")).not.toHaveProperty("altered");
  });

  test("a pod of several containers is refused before it is made where catatonit is missing", async () => {
    const host = openLocalHost();
    const blind = new Proxy(host, {
      get: (target, key) => {
        if (key !== "snapshot") return Reflect.get(target, key).bind(target);
        return async (...args: Parameters<typeof host.snapshot>) => {
          const seen = await target.snapshot(...args);
          const existing = [...seen.existing].filter((path) => !path.endsWith("/catatonit"));
          return { ...seen, existing: new Set(existing) };
        };
      },
    });
    const { config } = privatePodman(opened.folder, podman.address);
    await using other = await openPodman(config, blind, opened.directories);
    const pod = engine.pod({ main: SERVER, other: SERVER });
    await expect(other.prepare(pod)).rejects.toMatchObject({
      code: "failed_precondition",
      message: expect.stringContaining("install the package catatonit"),
    });
    expect(opened.podman("pod", "ps", "--quiet")).toBe("");
    await host[Symbol.asyncDispose]();
  });
});

const RUNTIMES = ["runc", "crun"].filter((name) => findOnPath(name) !== undefined);
const crunRuns = RUNTIMES.includes("crun") && !hasBothCgroups();

/** crun refuses such hosts. */
function hasBothCgroups(): boolean {
  return readFileSync("/proc/self/cgroup", "utf8").split("\n").length > 2;
}

describeWithEngine("podman", "a container of another runtime", (podman) => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stw-runtime-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is seen, stopped and started by a podman that has another one configured", async () => {
    const opened = await openPodmanInFolder(podman.address);
    const fixture = podmanFixture(() => podman.address);
    const engine = await EngineUnderTest.open({ ...fixture, open: async () => opened });
    // any program that runs containers will do, by another name
    const alias = join(folder, "other-runtime");
    const runtime = crunRuns ? "crun" : alias;
    if (!crunRuns) symlinkSync(findOnPath("runc") ?? "/usr/sbin/runc", alias);
    const { config } = privatePodman(opened.folder, podman.address);
    const host = openLocalHost();
    await using made = await openPodman({ ...config, runtime }, host, opened.directories);
    const pod = engine.pod({ main: SERVER });
    await made.prepare(pod);
    expect((await engine.observed(pod))?.state).toBe("prepared");
    await engine.engine.start(pod);
    expect((await engine.observed(pod))?.state).toBe("running");
    await engine.engine.stop(pod.identity);
    await made.start(pod);
    expect((await engine.observed(pod))?.state).toBe("running");
    await engine.cleanUp();
    await host[Symbol.asyncDispose]();
    await opened.close();
  });
});
