import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ImageContent, PodInstance } from "../../src/engine/index.ts";
import { openRkt } from "../../src/engines/rkt/index.ts";
import { appName, imageKey, RktLayout } from "../../src/engines/rkt/layout.ts";
import type { RktEngine } from "../../src/engines/rkt/rkt-engine.ts";
import { openLocalHost } from "../../src/host/index.ts";
import { generationDigest, imageName, objectName } from "../../src/model/index.ts";
import { busyboxContent } from "../conformance/support/busybox-content.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";

const OWNERSHIP = { owner: "me", fleet: "shop" };
const ABSENT = "11111111-2222-3333-4444-555555555555";
const ABSENT_IMAGE = `sha512-${"a".repeat(64)}`;

/** What an rkt that errs, lies or is not rkt at all answers, and what is made of it. */
describeWithEngine("rkt", "an rkt that is not to be trusted", ({ address }) => {
  const folder = mkdtempSync(join(tmpdir(), "stw-rkt-lie-"));
  const directories = { stateDir: join(folder, "state"), runDir: join(folder, "run") };
  const dir = join(folder, "rkt");
  const program = join(folder, "lying-rkt");
  const answers = join(folder, "answers");
  const layout = new RktLayout(directories, dir);
  const host = openLocalHost();
  let image: ImageContent;
  let count = 0;

  const open = (): Promise<RktEngine> => openRkt({ kind: "rkt", program, dir }, host, directories);
  let engine: RktEngine;

  /** Lets a subcommand be answered by a few lines of shell; any other is the engine's own. */
  function answer(subcommand: string, script: string): void {
    writeFileSync(`${answers}-${subcommand}`, script);
  }
  function beHonest(): void {
    spawnSync("sh", ["-c", `rm -f ${answers}-*`]);
  }

  beforeAll(async () => {
    writeFileSync(
      program,
      `#!/bin/sh
s=
for w; do case $w in -*) ;; *) s=$s-$w; [ $w = image ] || break ;; esac; done
[ ! -f ${answers}$s ] || . ${answers}$s
exec ${address} "$@"
`,
    );
    chmodSync(program, 0o755);
    image = await busyboxContent("base");
    engine = await open();
    await engine.importImage(image, OWNERSHIP);
  });
  afterEach(async () => {
    beHonest();
    const { pods, leftovers } = await engine.observe();
    for (const each of pods) await engine.remove(each);
    for (const { name } of leftovers) await engine.removeLeftover(name);
  });
  afterAll(() => {
    const cgroups = `/sys/fs/cgroup/*/${layout.scope} /sys/fs/cgroup/${layout.scope}`;
    // a test that failed may have left something that runs
    const script = `for d in ${cgroups}; do kill -9 $(cat $d/*/cgroup.procs) && sleep 0.2; rmdir $d/*/ $d; done`;
    spawnSync("sh", ["-c", script]);
    // what the real rkt mounts there is the host's own /dev
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(folder);
    rmSync(folder, { recursive: true, force: true });
  });

  function pod(): PodInstance {
    count += 1;
    const identity = { ...OWNERSHIP, host: "here", pod: `pod-${count}`, generation: 1 };
    const command = ["/bin/sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"];
    const spec = { containers: { main: { image: image.reference, command } } };
    const { reference, manifest, config } = image;
    const images = { main: { reference, digest: manifest.digest, configDigest: config.digest } };
    const recordDigest = generationDigest({ spec, images });
    return { identity, spec, images, recordDigest, volumeDirs: {} };
  }

  function recordFile(): string {
    const { reference, manifest } = image;
    return join(layout.imageDir(imageKey(imageName(reference, manifest.digest))), "image.json");
  }

  async function started(): Promise<PodInstance> {
    const made = pod();
    await engine.prepare(made);
    await engine.start(made);
    return made;
  }

  async function observed({ identity }: PodInstance) {
    return (await engine.observe()).pods.find((each) => each.pod === identity.pod);
  }

  /** What an error has to name: the engine, the command, and what to do. */
  async function errorOf(call: Promise<unknown>): Promise<string> {
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: "StowageError" });
    const { message } = error as Error;
    expect(message).toMatch(/^Cannot /);
    expect(message).toContain("rkt");
    expect(message).toContain("; ");
    expect(message.length).toBeLessThan(800);
    return message;
  }

  describe("its list of images", () => {
    // it is asked for where the files of its store leave a doubt
    beforeEach(() => {
      mkdirSync(layout.imageDir(`stw-img-${"0".repeat(32)}`), { recursive: true });
    });

    test.each([
      ["JSON that was cut off", `printf '[{"id":"${ABSENT_IMAGE}","na'; exit 0`],
      ["nothing", "exit 0"],
      ["an object", "echo '{}'; exit 0"],
      ["an id that is none", `echo '[{"id":"sha512-1","name":"a","size":1}]'; exit 0`],
      ["a size that is none", `echo '[{"id":"${ABSENT_IMAGE}","name":"a","size":"1"}]'; exit 0`],
      ["HTML", "echo '<html>'; exit 0"],
      ["only an error's status", "exit 2"],
      ["more than can be read", "head -c 20000000 /dev/zero; exit 0"],
    ])("%s is an error", async (_, script) => {
      answer("image-list", script);
      expect(await errorOf(engine.observe())).toMatch(/images?/);
    });

    test("free text before it, `null` for none, and times in any unit change nothing", async () => {
      const before = await engine.observe();
      answer("image-list", `echo 'warning: something'; exec ${address} "$@"`);
      expect(await engine.observe()).toEqual(before);
      const entry = (time: string) =>
        `{"id":"${ABSENT_IMAGE}","name":"a:1","import_time":${time},"last_used_time":${time},"size":7}`;
      for (const time of ["1795450341", "1795450341681671038", "-1"]) {
        answer("image-list", `echo '[${entry(time)}]'; exit 0`);
        const { images } = await engine.observe();
        expect(images).toEqual([
          { name: "a:1", digest: ABSENT_IMAGE.replace("-", ":"), sizeBytes: 7, inUse: false },
        ]);
      }
      answer("image-list", "echo null; exit 0");
      expect((await engine.observe()).images).toEqual([]);
    });

    test("ten megabytes of stderr are no error, and in an error only their end is told", async () => {
      const before = await engine.observe();
      const noise = "yes 'some noise of rkt' | head -c 10000000 >&2";
      answer("image-list", `${noise}; exec ${address} "$@"`);
      expect(await engine.observe()).toEqual(before);
      answer("image-list", `${noise}; echo 'list: the reason' >&2; exit 254`);
      expect(await errorOf(engine.observe())).toContain("list: the reason");
    });
  });

  test("an image whose removal was cut short is found out when it is needed, and comes again", async () => {
    const manifests = join(dir, "cas/imageManifest");
    cpSync(manifests, `${manifests}.kept`, { recursive: true });
    const [own] = (await engine.observe()).images.filter(({ fleets }) => fleets !== undefined);
    const record = JSON.parse(readFileSync(recordFile(), "utf8")) as { aci: string };
    spawnSync(program, [`--dir=${dir}`, "image", "rm", record.aci]);
    // rkt's database has it no more, its store still has the file
    rmSync(manifests, { recursive: true });
    renameSync(`${manifests}.kept`, manifests);
    expect(await errorOf(engine.prepare(pod()))).toContain("import it again");
    expect((await engine.observe()).images).not.toContainEqual(own);
    await engine.importImage(image, OWNERSHIP);
    expect((await engine.observe()).images).toContainEqual(own);
    expect(await observed(await started())).toMatchObject({ state: "running" });
  });

  test("what a failed prepare leaves of a pod that is started anew is taken away with it", async () => {
    const made = await started();
    await engine.stop(made.identity);
    const left = join(dir, "pods/prepare", ABSENT);
    const app = appName(made.identity, "main");
    answer("prepare", `mkdir -p ${left}/appsinfo/${app}; echo 'prepare: broken' >&2; exit 254`);
    expect(await errorOf(engine.start(made))).toContain("prepare: broken");
    expect(existsSync(left)).toBe(false);
    beHonest();
    await engine.start(made);
    expect((await engine.observe()).leftovers).toEqual([]);
  });

  describe("success with nothing done", () => {
    test.each([
      ["with no id", "exit 0"],
      ["with the id of no image", `echo ${ABSENT_IMAGE}; exit 0`],
    ])("fetch, %s, imports nothing", async (_, script) => {
      answer("fetch", script);
      const other = await busyboxContent("other");
      expect(await errorOf(engine.importImage(other, OWNERSHIP))).toContain("rkt fetch");
      beHonest();
      const { images, leftovers } = await engine.observe();
      expect(images.filter(({ fleets }) => fleets !== undefined)).toHaveLength(1);
      expect(leftovers).toEqual([]);
    });

    test.each([
      ["with no UUID", "exit 0"],
      ["with the UUID of no pod", `echo ${ABSENT}; exit 0`],
    ])("prepare, %s, makes no pod", async (_, script) => {
      answer("prepare", script);
      const made = pod();
      expect(await errorOf(engine.prepare(made))).toContain("rkt prepare");
      expect(await observed(made)).toBeUndefined();
    });

    test("run-prepared starts no pod", async () => {
      const made = pod();
      await engine.prepare(made);
      answer("run-prepared", "exit 0");
      expect(await errorOf(engine.start(made))).toContain("rkt run-prepared");
      expect((await observed(made))?.state).not.toBe("running");
      beHonest();
      await engine.start(made);
      expect((await observed(made))?.state).toBe("running");
      await engine.remove(made.identity);
    });

    test("rm removes no pod, and the next one does", async () => {
      const made = await started();
      await engine.stop(made.identity);
      answer("rm", "exit 0");
      expect(await errorOf(engine.remove(made.identity))).toContain("rkt rm");
      expect(await observed(made)).toBeDefined();
      beHonest();
      await engine.remove(made.identity);
      expect(await engine.observe()).toMatchObject({ pods: [], leftovers: [] });
    });

    test("image rm removes no image, and the next one does", async () => {
      const other = await busyboxContent("other");
      await engine.importImage(other, OWNERSHIP);
      const name = (await engine.observe()).images.map(({ name }) => name);
      const gone = name.find((each) => each.includes(other.manifest.digest)) ?? "";
      answer("image-rm", "exit 0");
      expect(await errorOf(engine.releaseImage(gone, OWNERSHIP))).toContain("rkt image rm");
      beHonest();
      await engine.releaseImage(gone, OWNERSHIP);
      const { images, leftovers } = await engine.observe();
      expect(images.map((each) => each.name)).not.toContain(gone);
      expect(leftovers).toEqual([]);
    });

    test("enter runs no command, whatever it says beside that", async () => {
      const made = await started();
      const run = (...command: string[]) =>
        engine.exec(made.identity, "main", command, { timeoutMs: 20_000 });
      for (const script of ["exit 0", "exit 3", "yes noise | head -c 10000000 >&2; exit 0"]) {
        answer("enter", script);
        await errorOf(run("/bin/true"));
        await errorOf(run("true"));
      }
      answer("enter", `yes noise | head -c 10000000 >&2; exec ${address} "$@"`);
      expect(await run("/bin/sh", "-c", "exit 7")).toEqual({ exitCode: 7 });
      await engine.remove(made.identity);
    });
  });

  describe("a data directory that was damaged", () => {
    const podFile = (made: PodInstance, name: string) =>
      join(layout.podDir(objectName(made.identity)), name);
    const rktFile = async (made: PodInstance, name: string) => {
      const uuid = (await observed(made))?.containers["main"]?.id ?? "";
      return join(dir, "pods/run", uuid, name);
    };

    test("a pod manifest of rkt's that was cut off is told as changed, and the pod can be removed", async () => {
      const made = await started();
      const file = await rktFile(made, "pod");
      writeFileSync(file, readFileSync(file, "utf8").slice(0, 50));
      const found = (await observed(made))?.containers["main"];
      expect(found).toMatchObject({ state: "running", altered: expect.stringMatching(/changed/) });
      rmSync(join(await rktFile(made, "appsinfo")), { recursive: true });
      await engine.remove(made.identity);
      expect(await engine.observe()).toMatchObject({ pods: [], leftovers: [] });
    });

    test("a pid file with anything in it names no process that is not the container's", async () => {
      const made = await started();
      const pid = (await observed(made))?.containers["main"]?.pid;
      for (const text of [
        "",
        "no number",
        "-1",
        "1",
        String(process.pid),
        "99999999999999999999",
      ]) {
        writeFileSync(podFile(made, "main.pid"), text);
        expect((await observed(made))?.containers["main"]).toMatchObject({ state: "running", pid });
      }
      writeFileSync(podFile(made, "main.pid"), `${process.pid}\n`);
      await engine.stop(made.identity);
      expect((await observed(made))?.state).toBe("exited");
      await engine.remove(made.identity);
    });

    test("rkt's own files that call a dead pod running are not believed", async () => {
      const made = await started();
      const { id = "", pid = 0 } = (await observed(made))?.containers["main"] ?? {};
      process.kill(pid, "SIGKILL");
      await expect.poll(async () => (await observed(made))?.state).toBe("exited");
      writeFileSync(join(dir, "pods/run", id, "pid"), String(process.pid));
      rmSync(podFile(made, "main.exit"));
      expect((await observed(made))?.state).toBe("exited");
      await engine.remove(made.identity);
    });

    test("Stowage's own file of a pod, cut off, leaves a pod that is not whole and can be removed", async () => {
      const made = await started();
      const pid = (await observed(made))?.containers["main"]?.pid ?? 0;
      const file = podFile(made, "pod.json");
      writeFileSync(file, readFileSync(file, "utf8").slice(0, 50));
      expect((await observed(made))?.state).toBe("incomplete");
      await engine.remove(made.identity);
      expect(await engine.observe()).toMatchObject({ pods: [], leftovers: [] });
      expect(runs(pid)).toBe(false);
    });

    test("with all of a pod's files damaged, what is left of it is told and taken away", async () => {
      const made = await started();
      const pid = (await observed(made))?.containers["main"]?.pid ?? 0;
      for (const name of ["pod.json", "main.manifest"]) writeFileSync(podFile(made, name), "{");
      const { pods, leftovers } = await engine.observe();
      expect(pods).toEqual([]);
      expect(leftovers.map(({ what }) => what).sort()).toEqual([
        "cgroup",
        "folder of a pod",
        "pod",
      ]);
      for (const { name } of leftovers) await engine.removeLeftover(name);
      expect(await engine.observe()).toMatchObject({ pods: [], leftovers: [] });
      expect(runs(pid)).toBe(false);
    });
  });

  test.each([
    ["is not rkt", "echo hello; exit 0"],
    ["fails", "echo 'version: broken' >&2; exit 254"],
    ["says nothing", "exit 0"],
  ])("a program that %s has no version", async (_, script) => {
    answer("version", script);
    expect(await errorOf((await open()).info())).toContain("version");
  });
});

/** Whether a process is there that has not ended: one that nobody waited for has no command line. */
function runs(pid: number): boolean {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) && readFileSync(file, "utf8") !== "";
}
