import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImageContent, PodInstance } from "../../src/engine/index.ts";
import { openRkt } from "../../src/engines/rkt/index.ts";
import { appName, imageKey, RktLayout } from "../../src/engines/rkt/layout.ts";
import type { RktEngine } from "../../src/engines/rkt/rkt-engine.ts";
import { openLocalHost } from "../../src/host/index.ts";
import { type ContainerSpec, generationDigest } from "../../src/model/index.ts";
import { busyboxContent } from "../conformance/support/busybox-content.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { recordingHost } from "../support/rkt/recording-host.ts";

const OWNERSHIP = { owner: "me", fleet: "shop" };

/** What only an rkt that runs can show of its traps; the others are beside the source. */
describeWithEngine("rkt", "rkt", ({ address }) => {
  const folder = mkdtempSync(join(tmpdir(), "stw-rkt-it-"));
  const directories = { stateDir: join(folder, "state"), runDir: join(folder, "run") };
  const dir = join(folder, "rkt");
  const { host, commands } = recordingHost(openLocalHost());
  const scope = new RktLayout(directories, dir).scope;
  let image: ImageContent;
  let engine: RktEngine;
  let count = 0;

  beforeAll(async () => {
    engine = await openRkt({ kind: "rkt", program: address, dir }, host, directories);
    image = await busyboxContent("base");
    await engine.importImage(image, OWNERSHIP);
  });
  afterAll(() => {
    const cgroups = `/sys/fs/cgroup/*/${scope} /sys/fs/cgroup/${scope}`;
    // a test that failed may have left something that runs
    const script = `for d in ${cgroups}; do kill -9 $(cat $d/*/cgroup.procs) && sleep 0.2; rmdir $d/*/ $d; done`;
    spawnSync("sh", ["-c", script]);
    // what the real rkt mounts there is the host's own /dev
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(folder);
    rmSync(folder, { recursive: true, force: true });
  });

  const rkt = (...args: readonly string[]) =>
    spawnSync(address, [`--dir=${dir}`, ...args], { encoding: "utf8" });

  function pod(source: string, more: Partial<ContainerSpec> = {}, from = image): PodInstance {
    count += 1;
    const identity = { ...OWNERSHIP, host: "here", pod: `pod-${count}`, generation: 1 };
    const main = { image: image.reference, command: ["/bin/sh", "-c", source], ...more };
    const spec = { containers: { main } };
    const { reference, manifest, config } = from;
    const images = { main: { reference, digest: manifest.digest, configDigest: config.digest } };
    const recordDigest = generationDigest({ spec, images });
    return { identity, spec, images, recordDigest, volumeDirs: {} };
  }

  async function observed({ identity }: PodInstance) {
    const { pods } = await engine.observe();
    return pods.find((each) => each.pod === identity.pod);
  }

  const SLEEP = "trap 'exit 0' TERM; sleep 1000 & wait";

  test("processes whose supervisor was killed still run, and are ended by a stop", async () => {
    const running = pod(SLEEP);
    await engine.prepare(running);
    await engine.start(running);
    const before = (await observed(running))?.containers["main"];
    const { ppid } = statusOf(before?.pid ?? 0);
    process.kill(ppid, "SIGKILL");
    expect((await observed(running))?.containers["main"]).toMatchObject({
      state: "running",
      pid: before?.pid,
    });
    await engine.stop(running.identity);
    const after = (await observed(running))?.containers["main"];
    expect(after?.state).toBe("exited");
    // one that nobody has waited for yet has no command line
    expect(commandLineOf(before?.pid ?? 0).join("")).toBe("");
    await engine.remove(running.identity);
    expect(await observed(running)).toBeUndefined();
  });

  test("a pod of rkt's that a failed start used up is prepared anew by the next", async () => {
    const failing = pod(SLEEP, { command: ["/nonexistent"] });
    await engine.prepare(failing);
    const first = (await observed(failing))?.containers["main"]?.id;
    await expect(engine.start(failing)).rejects.toMatchObject({ code: "failed_precondition" });
    expect((await observed(failing))?.state).toBe("exited");
    await expect(engine.start(failing)).rejects.toMatchObject({ code: "failed_precondition" });
    expect((await observed(failing))?.containers["main"]?.id).not.toBe(first);
    await engine.remove(failing.identity);
    expect((await engine.observe()).leftovers).toEqual([]);
  });

  test("a command that is not there is one error where the container has no shell to look for it", async () => {
    const running = pod(`rm /bin/sh; ${SLEEP}`);
    await engine.prepare(running);
    await engine.start(running);
    const { pid } = (await observed(running))?.containers["main"] ?? {};
    await expect.poll(() => existsSync(`/proc/${pid}/root/bin/sh`)).toBe(false);
    let said = "";
    const put = (bytes: Uint8Array): void => {
      said += Buffer.from(bytes).toString();
    };
    const streams = { stdout: put, stderr: put };
    for (const given of [{}, { streams }])
      await expect(
        engine.exec(running.identity, "main", ["/nonexistent"], { timeoutMs: 60_000, ...given }),
      ).rejects.toMatchObject({ code: "failed_precondition", context: { exitCode: 127 } });
    expect(said).toBe("");
    await engine.remove(running.identity);
  });

  test("the pod of an earlier run goes when the next one runs", async () => {
    const pods = () => rkt("list", "--no-legend").stdout.trim().split("\n");
    const before = pods().length;
    const running = pod(SLEEP);
    await engine.prepare(running);
    const made = pods().length;
    for (const _ of ["once", "twice"]) {
      await engine.start(running);
      await engine.stop(running.identity);
    }
    expect(pods()).toHaveLength(made);
    expect((await engine.observe()).leftovers).toEqual([]);
    await engine.remove(running.identity);
    expect(pods()).toHaveLength(before);
  });

  test("a foreign pod of which rkt's list dies changes nothing, and stays", async () => {
    const poison = join(folder, "poison.json");
    // an app without a section of its own: an image with one is needed for rkt to take it
    mkdirSync(join(folder, "poison/rootfs"), { recursive: true });
    const manifest = {
      acKind: "ImageManifest",
      acVersion: "0.8.11",
      name: "example.test/poison",
      labels: [
        { name: "os", value: "linux" },
        { name: "arch", value: "amd64" },
      ],
      app: { exec: ["/bin/true"], user: "0", group: "0" },
    };
    writeFileSync(join(folder, "poison/manifest"), JSON.stringify(manifest));
    spawnSync("tar", ["-C", join(folder, "poison"), "-cf", `${poison}.aci`, "manifest", "rootfs"]);
    const fetched = rkt(
      "--insecure-options=image",
      "fetch",
      "--full",
      `${poison}.aci`,
    ).stdout.trim();
    writeFileSync(
      poison,
      JSON.stringify({
        acKind: "PodManifest",
        acVersion: "0.8.11",
        apps: [{ name: "a", image: { id: fetched } }],
      }),
    );
    const uuid = rkt("prepare", "--quiet", `--pod-manifest=${poison}`).stdout.trim();
    expect(rkt("list", "--format=json").status).toBe(2);
    const running = pod(SLEEP);
    await engine.prepare(running);
    await engine.start(running);
    expect((await observed(running))?.state).toBe("running");
    await engine.remove(running.identity);
    expect(rkt("list", "--full", "--no-legend").stdout).toContain(uuid);
    expect((await engine.observe()).images).toContainEqual(
      expect.objectContaining({ name: "example.test/poison", inUse: true }),
    );
    expect(rkt("rm", uuid).status).toBe(0);
  });

  test("a prepare of rkt's that is killed leaves nothing that is not told and taken away", async () => {
    const waiting = pod(SLEEP);
    for (const afterMs of [5, 15, 30, 60]) {
      const making = engine.prepare(waiting).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      spawnSync("sh", [
        "-c",
        `for p in $(grep -lzs -- '--dir=${dir}' /proc/[0-9]*/cmdline | cut -d/ -f3); do kill -9 $p; done`,
      ]);
      await making;
      await engine.remove(waiting.identity);
      const { leftovers } = await engine.observe();
      for (const { name } of leftovers) await engine.removeLeftover(name);
      expect((await engine.observe()).leftovers).toEqual([]);
    }
    await engine.prepare(waiting);
    expect((await observed(waiting))?.state).toBe("prepared");
    await engine.remove(waiting.identity);
  });

  function killIfThere(pid: number): void {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      // it ended meanwhile
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** Kills rkt's commands of one kind, as soon as there is one and then after a while. */
  async function killDuring(subcommand: string, afterMs: number, call: Promise<unknown>) {
    let isOver = false;
    const over = call.then(
      () => "done",
      () => "failed",
    );
    void over.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const pids = processesOf(`--dir=${dir}`, subcommand);
      if (pids.length > 0) {
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        for (const pid of processesOf(`--dir=${dir}`, subcommand)) killIfThere(pid);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return await over;
  }

  test.each([0, 20, 60, 120, 250])(
    "a fetch, run-prepared or rm that is killed after %i ms is done by the same call again, and leaves nothing",
    async (afterMs) => {
      const other = await busyboxContent("other");
      const before = rkt("list", "--no-legend").stdout;
      await killDuring("fetch", afterMs, engine.importImage(other, OWNERSHIP));
      await engine.importImage(other, OWNERSHIP);
      const running = pod(SLEEP, { image: other.reference }, other);
      await engine.prepare(running);
      await killDuring("run-prepared", afterMs, engine.start(running));
      await engine.start(running);
      expect(await observed(running)).toMatchObject({ state: "running" });
      await engine.stop(running.identity);
      await killDuring("rm", afterMs, engine.remove(running.identity));
      await engine.remove(running.identity);
      const name = `${other.reference}@${other.manifest.digest}`;
      await engine.releaseImage(name, OWNERSHIP);
      const { pods, images, leftovers } = await engine.observe();
      expect(pods).toEqual([]);
      expect(images.map((each) => each.name)).not.toContain(name);
      expect(leftovers).toEqual([]);
      expect(rkt("list", "--no-legend").stdout).toBe(before);
      expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(folder);
      expect(readdirSync(join(directories.stateDir, ".rkt/pods"))).toEqual([]);
      expect(readdirSync(join(directories.stateDir, ".rkt/logs"))).toEqual([]);
    },
  );

  test("with its last pod goes the folder of its cgroups, however many go and come at once", async () => {
    const folders = () =>
      ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"].filter((root) => existsSync(join(root, scope)));
    const pods = Array.from({ length: 4 }, () => pod("trap 'exit 0' TERM; sleep 1000 & wait"));
    const life = async (each: PodInstance): Promise<void> => {
      await engine.prepare(each);
      await engine.start(each);
      expect(folders()).not.toEqual([]);
      await engine.remove(each.identity);
    };
    await Promise.all(pods.map(life));
    expect(folders()).toEqual([]);
  });

  test("an image that somebody removed from rkt is not there any more, and can be imported again", async () => {
    const { images } = await engine.observe();
    expect(images.filter(({ fleets }) => fleets !== undefined)).toHaveLength(1);
    const ours = (
      JSON.parse(rkt("image", "list", "--format=json").stdout) as { id: string; name: string }[]
    ).find(({ name }) => name.startsWith("stowage/"));
    expect(rkt("image", "rm", ours?.id ?? "").status).toBe(0);
    const gone = await engine.observe();
    expect(gone.images.filter(({ fleets }) => fleets !== undefined)).toEqual([]);
    await engine.importImage(image, OWNERSHIP);
    expect((await engine.observe()).images.some(({ fleets }) => fleets !== undefined)).toBe(true);
  });

  test("an image that somebody else's pod was made of stays when its last fleet lets go of it", async () => {
    const other = await busyboxContent("other");
    const name = `${other.reference}@${other.manifest.digest}`;
    await engine.importImage(other, OWNERSHIP);
    const listed = JSON.parse(rkt("image", "list", "--format=json").stdout) as {
      id: string;
      name: string;
    }[];
    const key = imageKey(name);
    const id = listed.find((each) => each.name.includes(key))?.id ?? "";
    const theirs = join(folder, "theirs.json");
    const apps = [
      { name: "theirs", image: { id }, app: { exec: ["/bin/true"], user: "0", group: "0" } },
    ];
    writeFileSync(theirs, JSON.stringify({ acKind: "PodManifest", acVersion: "0.8.11", apps }));
    const uuid = rkt("prepare", "--quiet", `--pod-manifest=${theirs}`).stdout.trim();
    await engine.releaseImage(name, OWNERSHIP);
    const find = async () => (await engine.observe()).images.find((each) => each.name === name);
    expect(await find()).toMatchObject({ fleets: [], inUse: true });
    expect(rkt("rm", uuid).status).toBe(0);
    await engine.releaseImage(name, OWNERSHIP);
    expect(await find()).toBeUndefined();
  });

  /** What keeps the output of a pod's container. */
  function writersOf({ identity }: PodInstance): readonly number[] {
    const logs = new RktLayout(directories, dir).logDir(appName(identity, "main"));
    const found = readdirSync("/proc").filter((pid) => directoryOf(pid) === logs);
    expect(found).not.toEqual([]);
    return found.map(Number);
  }

  test("a container goes on when what keeps its output is killed", async () => {
    const running = pod(
      "trap 'exit 0' TERM; i=0; while :; do i=$((i+1)); echo $i; echo $i >/tmp/count; sleep 0.02; done",
    );
    await engine.prepare(running);
    await engine.start(running);
    const before = (await observed(running))?.containers["main"];
    const count = () => Number(readFileSync(`/proc/${before?.pid}/root/tmp/count`, "utf8"));
    for (const pid of writersOf(running)) process.kill(pid, "SIGKILL");
    const then = count();
    // a write into a pipe that nobody reads would have ended it
    await expect.poll(count, { timeout: 20_000 }).toBeGreaterThan(then + 3);
    const after = (await observed(running))?.containers["main"];
    expect(after).toMatchObject({ state: "running", pid: before?.pid });
    await engine.stop(running.identity);
    const ended = (await observed(running))?.containers["main"];
    expect(ended).toMatchObject({ state: "exited", exitCode: 0 });
    await engine.remove(running.identity);
  });

  test("a container has ended when the last of its output is kept, and not before", async () => {
    const ending = pod("while [ ! -e /tmp/go ]; do sleep 0.02; done; echo last words");
    await engine.prepare(ending);
    await engine.start(ending);
    const { pid } = (await observed(ending))?.containers["main"] ?? {};
    const writers = writersOf(ending);
    for (const writer of writers) process.kill(writer, "SIGSTOP");
    writeFileSync(`/proc/${pid}/root/tmp/go`, "");
    await expect.poll(() => commandLineOf(pid ?? 0).join(""), { timeout: 20_000 }).toBe("");
    // time for its supervisor to say so too early
    await new Promise((resolve) => setTimeout(resolve, 300));
    const state = async () => (await observed(ending))?.containers["main"]?.state;
    expect(await state()).toBe("running");
    for (const writer of writers) process.kill(writer, "SIGCONT");
    await expect.poll(state, { timeout: 20_000 }).toBe("exited");
    const lines: string[] = [];
    for await (const { text } of engine.logs(ending.identity, "main")) lines.push(text);
    expect(lines).toEqual(["last words"]);
    await engine.remove(ending.identity);
  });

  test("what was left of an import goes while the image comes again, and the image is whole", async () => {
    const other = await busyboxContent("other");
    const name = `${other.reference}@${other.manifest.digest}`;
    const layout = new RktLayout(directories, dir);
    const record = `${layout.imageDir(imageKey(name))}/image.json`;
    await engine.importImage(other, OWNERSHIP);
    const { aci: _, ...begun } = JSON.parse(readFileSync(record, "utf8")) as { aci: string };
    for (const isFirst of [true, false]) {
      await engine.releaseImage(name, OWNERSHIP);
      // as an import leaves it that is killed after its first write
      await host.writeFile(record, JSON.stringify(begun));
      const [left] = (await engine.observe()).leftovers;
      expect(left?.name).toBe(imageKey(name));
      const steps = [
        () => engine.removeLeftover(imageKey(name)),
        () => engine.importImage(other, OWNERSHIP),
      ];
      await Promise.all((isFirst ? steps : steps.toReversed()).map((step) => step()));
      const instance = pod("sleep 1000", {}, other);
      await engine.prepare(instance);
      await engine.remove(instance.identity);
      const reference = { reference: other.reference, digest: other.manifest.digest };
      await using exported = await engine.exportImage({
        ...reference,
        configDigest: other.config.digest,
      });
      expect(exported?.content.manifest).toEqual(other.manifest);
      expect((await engine.observe()).leftovers).toEqual([]);
    }
  });

  test("an exported image is, byte for byte, the one that was imported", async () => {
    const applied = { reference: image.reference, digest: image.manifest.digest };
    const exported = await engine.exportImage(applied);
    expect(exported?.content).toMatchObject({ manifest: image.manifest, config: image.config });
    for (const { digest } of [image.manifest, image.config, ...image.layers]) {
      const bytes = await bytesOf(exported?.content as ImageContent, digest);
      expect(bytes.equals(await bytesOf(image, digest))).toBe(true);
    }
    const absent = { ...applied, digest: `sha256:${"0".repeat(64)}` };
    expect(await engine.exportImage(absent)).toBeUndefined();
  });

  test("rkt's collector, its stop and its list of pods are never run, nor a prefix of a subcommand", async () => {
    const going = pod(SLEEP);
    await engine.prepare(going);
    await engine.start(going);
    await engine.stop(going.identity);
    await engine.start(going);
    await engine.remove(going.identity);
    const own = commands.filter((command) => command[0] === address);
    const words = own.map((command) => command.slice(1).filter((word) => !word.startsWith("--")));
    expect([...new Set(words.map(([word]) => word))].sort()).toEqual([
      "fetch",
      "image",
      "prepare",
      "rm",
    ]);
    expect(words.filter(([word]) => word === "image").map(([, word]) => word)).not.toContain("gc");
  });
});

function statusOf(pid: number): { readonly ppid: number } {
  const { stdout } = spawnSync("cat", [`/proc/${pid}/status`], { encoding: "utf8" });
  return { ppid: Number(/^PPid:\s+(\d+)$/m.exec(stdout)?.[1]) };
}

/** Processes with both words in their command line. */
function processesOf(...words: readonly string[]): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && words.every((word) => commandLineOf(pid).includes(word)));
}

/** Where a process is; undefined where there is none. */
function directoryOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function commandLineOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

async function bytesOf(content: ImageContent, digest: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of content.open(digest)) parts.push(part);
  return Buffer.concat(parts);
}
