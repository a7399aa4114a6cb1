import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { busyboxImage } from "../../scripts/lib/image-maker/busybox-image.ts";
import type { PodInstance } from "../../src/engine/index.ts";
import { objectName } from "../../src/model/index.ts";
import { layoutContent } from "../conformance/support/busybox-content.ts";
import {
  applied,
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

/** podman as its administrator may have set it up. */
const CONFIGURED = `#!/bin/sh
conf="$(dirname "$0")/containers.conf"
[ ! -e "$conf" ] || export CONTAINERS_CONF="$conf"
exec REAL "$@"
`;
/** Loses what is printed, allows hardly any process, and asks a registry first. */
const FOREIGN_CONF = `[containers]
log_driver = "none"
pids_limit = 3
[engine]
pull_policy = "always"
`;

describeWithEngine("podman", "what podman would do by itself", (podman) => {
  let folder = "";
  let opened: PodmanInFolder;
  let engine: EngineUnderTest;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "stw-habits-"));
    const program = join(folder, "podman");
    writeFileSync(program, CONFIGURED.replace("REAL", podman.address), { mode: 0o755 });
    opened = await openPodmanInFolder(program);
    const fixture = podmanFixture(() => program);
    engine = await EngineUnderTest.open({ ...fixture, open: async () => opened });
  });
  afterEach(async () => {
    rmSync(join(folder, "containers.conf"), { force: true });
    await engine.cleanUp();
  });
  afterAll(async () => {
    await opened.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const baseId = (): string => engine.base.config.digest.replace("sha256:", "");
  const idOf = async (pod: PodInstance): Promise<string> => {
    const { id } = await engine.container(pod);
    return opened.podman("inspect", "--format", "{{.Id}}", id).trim();
  };

  test("what containers.conf would have it do is not done to a pod", async () => {
    writeFileSync(join(folder, "containers.conf"), FOREIGN_CONF);
    const many = Array(6).fill("sleep 0.2 &").join(" ");
    const { exitCode, lines } = await engine.run(`${many} wait; echo all of them`);
    expect({ exitCode, lines }).toEqual({ exitCode: 0, lines: ["all of them"] });
  });

  test("an image's VOLUME makes no volume without a name", async () => {
    const out = join(folder, "image");
    const reference = "localhost/with-volume:1";
    const { layout } = busyboxImage({ out, reference, config: { volumes: ["/data"] } });
    const image = await layoutContent(layout, reference);
    await engine.engine.importImage(image, engine.ownership);
    const { identity, spec } = engine.pod({ main: SERVER });
    const main = { ...SERVER, image: reference };
    const pod = {
      ...engine.instance(identity, spec),
      spec: { containers: { main } },
      images: { main: applied(image) },
    };
    await engine.engine.prepare(pod);
    await engine.engine.start(pod);
    expect(opened.podman("volume", "ls", "--quiet")).toBe("");
    await engine.engine.remove(identity);
    await engine.engine.releaseImage(nameOf(image), engine.ownership);
  });

  test.each([["one container"], ["several", "other"]])(
    "what is removed is not asked to end, which podman would wait for: a pod of %s",
    async (_, ...more) => {
      const path = await engine.directory();
      const stubborn = script(
        "trap 'echo asked >>/data/asked' TERM; echo ready; while :; do sleep 0.05; done",
        { mounts: [{ volume: "data", path: "/data" }] },
      );
      const names = ["main", ...more];
      const pod = await engine.started(Object.fromEntries(names.map((name) => [name, stubborn])), {
        volumes: { data: { kind: "bind", path } },
      });
      for (const name of names) await engine.printed(pod, "ready", name);
      await engine.engine.remove(pod.identity);
      expect(await engine.fileText(`${path}/asked`)).toBeUndefined();
    },
  );

  test("the image that podman makes for pods goes with the last of them, and stays where others use it", async () => {
    const pauses = (): readonly string[] =>
      opened
        .podman("images", "--format", "{{.Repository}}:{{.Tag}}")
        .split("\n")
        .filter((name) => name.startsWith("localhost/podman-pause:"));
    const pod = await engine.started({ main: SERVER, other: SERVER });
    const [made, ...more] = pauses();
    // podman 5 may hold a pod without one
    if (made === undefined) return expect(await engine.engine.vacate()).toEqual([]);
    expect(more).toEqual([]);
    opened.podman("pod", "create", "--name", "theirs", "--network", "none");
    await engine.engine.remove(pod.identity);
    expect(await engine.engine.vacate()).toEqual([
      { what: `image ${made} of podman`, why: expect.stringContaining("somebody else") },
    ]);
    expect(pauses()).toEqual([made]);
    opened.podman("pod", "rm", "--force", "--time", "0", "theirs");
    expect(await engine.engine.vacate()).toEqual([]);
    expect(pauses()).toEqual([]);
    // the next one that needs it has it made again
    const next = await engine.started({ main: SERVER, other: SERVER });
    expect((await engine.observed(next))?.state).toBe("running");
    await engine.engine.remove(next.identity);
  });

  test("somebody else's volume, and their container of our image, outlive its pods and its release", async () => {
    const volume = opened.podman("volume", "create", "theirs").trim();
    const container = opened
      .podman("create", "--network", "none", "--name", "theirs", baseId(), "/bin/true")
      .trim();
    const { identity } = await engine.started({ main: SERVER });
    await engine.engine.stop(identity);
    await engine.engine.remove(identity);
    await engine.engine.releaseImage(nameOf(engine.base), engine.ownership);
    expect(await engine.image(engine.base)).toMatchObject({ fleets: [], inUse: true });
    await engine.engine.importImage(engine.base, engine.ownership);
    expect(opened.podman("volume", "ls", "--quiet").trim()).toBe(volume);
    expect(opened.podman("ps", "--all", "--quiet", "--no-trunc").trim()).toBe(container);
    opened.podman("rm", "theirs");
    opened.podman("volume", "rm", "theirs");
  });

  test("an image with the name of a pod's container is not taken for it", async () => {
    const pod = engine.pod({ main: SERVER });
    const name = `localhost/${objectName(pod.identity)}:latest`;
    opened.podman("tag", baseId(), name);
    await expect(engine.engine.start(pod)).rejects.toMatchObject({ code: "not_found" });
    await engine.engine.prepare(pod);
    await engine.engine.remove(pod.identity);
    opened.podman("untag", baseId(), name);
  });

  test("an image that went behind Stowage's back is not looked for elsewhere", async () => {
    await engine.prepared({ main: SERVER });
    await engine.cleanUp();
    opened.podman("image", "rm", "--force", baseId());
    const preparing = engine.engine.prepare(engine.pod({ main: SERVER }));
    await expect(preparing).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining("image not known"),
    });
    await engine.engine.importImage(engine.base, engine.ownership);
  });

  /** Has only the file system of a container, as a create leaves it that is killed before it is noted. */
  function leaveStorageOf(name: string): void {
    const root = join(opened.folder, "root");
    const database = ["libpod/bolt_state.db", "db.sql"]
      .map((file) => join(root, file))
      .find((file) => existsSync(file)) as string;
    copyFileSync(database, join(folder, "database"));
    opened.podman("create", "--network", "none", "--name", name, baseId(), "/bin/true");
    copyFileSync(join(folder, "database"), database);
    expect(opened.podman("ps", "--all", "--format", "{{.Names}}")).not.toContain(name);
  }

  test.each([["one container"], ["several", "other"]])(
    "a name that is taken by what podman does not list is given up: of a pod of %s",
    async (_, ...more) => {
      const pod = engine.pod(Object.fromEntries(["main", ...more].map((name) => [name, SERVER])));
      leaveStorageOf(objectName(pod.identity, more.length > 0 ? "main" : undefined));
      await engine.engine.prepare(pod);
      await engine.engine.start(pod);
      expect((await engine.observed(pod))?.state).toBe("running");
    },
  );

  test("a container whose process died while it waited, and its watcher with it, is made anew", async () => {
    const pod = await engine.prepared({ main: SERVER });
    const id = await idOf(pod);
    for (const field of ["ConmonPid", "Pid"]) {
      const pid = Number(opened.podman("inspect", "--format", `{{.State.${field}}}`, id).trim());
      process.kill(pid, "SIGKILL");
      await engine.until(async () => !existsSync(`/proc/${pid}/root/`) || undefined);
    }
    expect((await engine.observed(pod))?.state).toBe("exited");
    await engine.engine.start(pod);
    expect(await engine.observed(pod)).toMatchObject({ state: "running" });
  });
});
