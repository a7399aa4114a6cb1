import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { ImageContent } from "../../src/engine/index.ts";
import type { PodmanEngine } from "../../src/engines/podman/index.ts";
import { objectName, type PodIdentity } from "../../src/model/index.ts";
import {
  EngineUnderTest,
  nameOf,
  SERVER,
  script,
} from "../conformance/support/engine-under-test.ts";
import {
  openPodmanInFolder,
  type PodmanInFolder,
  podmanFixture,
} from "../conformance/support/podman-fixture.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";

/** podman, but the next call of a command is killed so many seconds after it began. */
const KILLED = `#!/bin/sh
order="$(dirname "$0")/order"
if [ -e "$order" ]; then
  read -r command seconds < "$order"
  for word in "$@"; do
    if [ "$word" = "$command" ]; then
      rm "$order"
      REAL "$@" <&0 &
      sleep "$seconds"
      kill -KILL $!
      wait $!
      exit 137
    fi
  done
fi
exec REAL "$@"
`;

describeWithEngine("podman", "podman that is killed, and what it is wrong about", (podman) => {
  let folder: string;
  let opened: PodmanInFolder;
  let engine: EngineUnderTest;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "stw-killed-"));
    const program = join(folder, "podman");
    writeFileSync(program, KILLED.replaceAll("REAL", podman.address));
    chmodSync(program, 0o755);
    const fixture = podmanFixture(() => program);
    engine = await EngineUnderTest.open({
      ...fixture,
      open: async () => {
        opened = await openPodmanInFolder(program);
        return opened;
      },
    });
  });
  afterEach(async () => {
    rmSync(join(folder, "order"), { force: true });
    await engine.cleanUp();
  });
  afterAll(async () => {
    await opened.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const kill = (command: string, seconds: number): void =>
    writeFileSync(join(folder, "order"), `${command} ${seconds}\n`);

  /** Does it with podman killed in its middle, then once more without. */
  async function twice(command: string, seconds: number, call: () => Promise<void>): Promise<void> {
    kill(command, seconds);
    await call().catch(() => undefined);
    expect(existsSync(join(folder, "order"))).toBe(false);
    // at once, while its children go on
    await call();
  }

  describe.each([0.03, 0.08, 0.15, 0.25])("SIGKILL after %s s", (seconds) => {
    test("of create: preparing again makes the pod, and nothing is left", async () => {
      const pod = engine.pod({ main: SERVER });
      await twice("create", seconds, () => engine.engine.prepare(pod));
      await engine.engine.start(pod);
      expect((await engine.observed(pod))?.state).toBe("running");
    });

    test("of init: preparing again makes the pod", async () => {
      const pod = engine.pod({ main: SERVER });
      await twice("init", seconds, () => engine.engine.prepare(pod));
      await engine.engine.start(pod);
      expect((await engine.observed(pod))?.state).toBe("running");
    });

    test("of start: starting again runs it", async () => {
      const pod = await engine.prepared({ main: SERVER });
      await twice("start", seconds, () => engine.engine.start(pod));
      expect((await engine.observed(pod))?.state).toBe("running");
    });

    test("of a start that is not prepared: starting again runs it", async () => {
      const pod = await engine.started({ main: SERVER });
      await engine.engine.stop(pod.identity);
      await twice("start", seconds, () => engine.engine.start(pod));
      expect((await engine.observed(pod))?.state).toBe("running");
    });

    test("of rm: removing again takes all of it away", async () => {
      const pod = await engine.started({ main: SERVER });
      await twice("rm", seconds, () => engine.engine.remove(pod.identity));
      expect(await engine.observed(pod)).toBeUndefined();
    });

    test("of pod create: preparing again makes the pod of several containers", async () => {
      const pod = engine.pod({ main: SERVER, other: SERVER });
      await twice("pod", seconds, () => engine.engine.prepare(pod));
      await engine.engine.start(pod);
      expect((await engine.observed(pod))?.state).toBe("running");
    });
  });

  test.each([".json", ".restarts.json", ".unfinished"])(
    "SIGKILL of what writes a file *%s of a pod: half of it is found by the pod's name, and goes with a leftover",
    async (suffix) => {
      const pod = await engine.started({ main: SERVER });
      const stores = join(opened.folder, "state/.podman");
      const podsDir = join(stores, readdirSync(stores)[0] ?? "", "pods");
      mkdirSync(podsDir, { recursive: true });
      const half = (of: PodIdentity): string => join(podsDir, `.${objectName(of)}${suffix}.tmp`);
      const never = { ...pod.identity, generation: 7 };
      for (const each of [pod.identity, never]) writeFileSync(half(each), "");
      const seen = await engine.engine.observe();
      expect(seen.pods).toHaveLength(1);
      expect(seen.leftovers.map(({ name }) => name)).toEqual([objectName(never)]);
      await engine.engine.removeLeftover(objectName(never));
      expect(existsSync(half(never))).toBe(false);
      expect((await engine.engine.observe()).leftovers).toEqual([]);
      await engine.engine.stop(pod.identity);
      await engine.engine.remove(pod.identity);
      expect(existsSync(half(pod.identity))).toBe(false);
    },
  );

  test("SIGKILL of what writes that a fleet uses an image: half of it is gone when that is written", async () => {
    const { base, ownership } = engine;
    const folders = (): readonly string[] =>
      readdirSync(join(opened.folder, "state/.podman"), { recursive: true }).map(String);
    const claim = folders().find((path) => path.endsWith(`/${ownership.owner}.suite.json`)) ?? "";
    const placed = join(opened.folder, "state/.podman", claim);
    const half = join(dirname(placed), `.${basename(placed)}.tmp`);
    renameSync(placed, half);
    await engine.engine.importImage(base, ownership);
    expect(existsSync(placed)).toBe(true);
    expect(folders().filter((path) => path.endsWith(".tmp"))).toEqual([]);
  });

  test("a process that died with its watcher is not running, and a start runs another", async () => {
    const pod = await engine.started({ main: SERVER });
    const { pid, id } = await engine.container(pod);
    const conmon = Number(opened.podman("inspect", "--format", "{{.State.ConmonPid}}", id).trim());
    process.kill(conmon, "SIGKILL");
    expect(await engine.container(pod)).toMatchObject({
      state: "running",
      altered: expect.stringContaining("conmon"),
    });
    process.kill(pid ?? 0, "SIGKILL");
    const ended = await engine.ended(pod);
    expect(ended.exitCode).toBeUndefined();
    await engine.engine.start(pod);
    expect((await engine.container(pod)).pid).not.toBe(pid);
    expect((await engine.observed(pod))?.state).toBe("running");
  });

  test.each([
    ["a service", "CONTAINER_HOST", "unix:///nonexistent.sock"],
    ["a configuration", "CONTAINERS_CONF", "/nonexistent.conf"],
  ])("%s that the environment names is not asked", async (_, name, value) => {
    vi.stubEnv(name, value);
    const pod = await engine.started({ main: SERVER });
    expect(await engine.observed(pod)).toMatchObject({ state: "running" });
  });

  test("labels that an image brings do not make its container one of a pod", async () => {
    const pod = await engine.prepared({ main: SERVER });
    const { id } = await engine.container(pod);
    const [labels] = JSON.parse(
      opened.podman("inspect", "--format", "[{{json .Config.Labels}}]", id),
    ) as [Record<string, string>];
    const image = opened.podman("inspect", "--format", "{{.Image}}", id).trim();
    const flags = Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
    const copy = opened.podman("create", "--name", "stw-copy", ...flags, image).trim();
    // listed after the pod's own, then before it
    for (const _ of ["made after it", "made before it"]) {
      expect(Object.keys((await engine.observed(pod))?.containers ?? {})).toEqual(["main"]);
      expect((await engine.container(pod)).id).toBe(id);
      await engine.engine.stop(pod.identity);
      await engine.engine.remove(pod.identity);
      expect(await engine.observed(pod)).toBeUndefined();
      expect(opened.podman("ps", "--all", "--quiet", "--no-trunc").trim()).toBe(copy);
      await engine.engine.prepare(pod);
    }
    opened.podman("rm", copy);
  });

  test("a process that ended by itself is started again where that is declared", async () => {
    const pod = await engine.started(
      { main: script("echo run; sleep 1000") },
      { restart: { policy: "always" } },
    );
    await engine.printed(pod, "run");
    await opened.killContainer(pod.identity, "main");
    await engine.until(async () => (await engine.lines(pod)).length >= 2 || undefined);
    await engine.engine.stop(pod.identity, { containers: { main: { gracePeriodMs: 0 } } });
    await delay(1000);
    expect((await engine.observed(pod))?.state).toBe("exited");
  });

  test("an image that is taken out has the config that came in, and all bytes of its manifest", async () => {
    const { reference, manifest, config } = engine.base;
    const exporting = (engine.engine as PodmanEngine).exportImage({
      reference,
      digest: manifest.digest,
      configDigest: config.digest,
    });
    await using taken = await exporting;
    expect(taken?.content.config.digest).toBe(config.digest);
    const { content } = taken ?? { content: engine.base };
    for (const blob of [content.manifest, content.config, ...content.layers]) {
      let size = 0;
      for await (const part of content.open(blob.digest)) size += part.byteLength;
      expect(size).toBe(blob.size);
    }
    expect(nameOf(engine.base)).toContain(manifest.digest);
  });

  test("an image whose layers podman packs to the same bytes is taken out with the very manifest that came in", async () => {
    const { reference, manifest, config } = engine.base;
    const taking = (digest: string, as = reference) =>
      (engine.engine as PodmanEngine).exportImage({
        reference: as,
        digest,
        configDigest: config.digest,
      });
    await using packed = await taking(manifest.digest);
    const content = packed?.content as ImageContent;
    const own = JSON.parse(await textOf(content, content.manifest.digest)) as object;
    // podman itself would write it another way
    const bytes = Buffer.from(JSON.stringify({ ...own, annotations: {} }, null, 2));
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    const image: ImageContent = {
      ...content,
      reference: "localhost/elsewhere:1",
      manifest: { ...content.manifest, digest, size: bytes.length },
      open: (wanted, offset = 0) =>
        wanted === digest ? once(bytes.subarray(offset)) : content.open(wanted, offset),
    };
    await engine.engine.importImage(image, engine.ownership);
    await using again = await taking(digest, image.reference);
    expect(again?.content.manifest).toEqual(image.manifest);
    expect(await textOf(again?.content as ImageContent, digest)).toBe(bytes.toString());
    await engine.engine.releaseImage(nameOf(image), engine.ownership);
  });
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

async function textOf(content: ImageContent, digest: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of content.open(digest)) parts.push(part);
  return Buffer.concat(parts).toString();
}
