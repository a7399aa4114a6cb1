import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { PodInstance } from "../../src/engine/index.ts";
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

/** podman, but a command that there is a file for is answered by that: its arguments are the real one's. */
const STUB = `#!/bin/sh
folder="$(dirname "$0")/answers"
command=
skip=
for word in "$@"; do
  if [ -n "$skip" ]; then skip=; continue; fi
  case "$command:$word" in
    :--version) command=version; break ;;
    :--*) skip=1 ;;
    :pod|:container|:image) command="$word" ;;
    :*) command="$word"; break ;;
    *) command="$command-$word"; break ;;
  esac
done
if [ -e "$folder/$command" ]; then
  echo "$command" >> "$folder/asked"
  . "$folder/$command"
fi
exec REAL "$@"
`;

const FLOOD = "head -c 10000000 /dev/zero | tr '\\\\0' 'x' >&2; echo >&2";
const NOTHING = "exit 0";
/** Prints the first of a list. */
const FIRST = 'console.log(JSON.stringify([JSON.parse(require("fs").readFileSync(0))[0]]))';
/** Takes those of a store's list out of it that are named. */
const WITHOUT = `const fs = require("fs"), [, file, ...named] = process.argv;
const left = JSON.parse(fs.readFileSync(file)).filter(({ id }) => !named.includes(id));
fs.writeFileSync(file, JSON.stringify(left));`;

describeWithEngine("podman", "what podman says is not believed", (podman) => {
  let [folder, answers, program] = ["", "", ""];
  let engine: EngineUnderTest;
  let close: () => Promise<void>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "stw-stub-"));
    [answers, program] = [join(folder, "answers"), join(folder, "podman")];
    mkdirSync(answers);
    writeFileSync(program, STUB.replaceAll("REAL", podman.address));
    chmodSync(program, 0o755);
    const fixture = podmanFixture(() => program);
    const opened = await openPodmanInFolder(program);
    close = async () => await opened.close();
    engine = await EngineUnderTest.open({ ...fixture, open: async () => opened });
  });
  const restore = (): void => {
    rmSync(answers, { recursive: true });
    mkdirSync(answers);
  };
  afterEach(async () => {
    restore();
    await engine.cleanUp();
  });
  afterAll(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Has a command answered by a script, which may run the real one as `REAL "$@"`. */
  const answer = (command: string, script: string): void =>
    writeFileSync(join(answers, command), `${script.replaceAll("REAL", podman.address)}\n`);

  /** Commands that were answered so. */
  const asked = (): ReadonlySet<string> =>
    new Set(readFileSync(join(answers, "asked"), "utf8").trim().split("\n"));

  /** An error that says which engine's command it was, and what to do on the host. */
  const named = (command: string) =>
    expect.objectContaining({
      name: "StowageError",
      message: expect.stringMatching(
        new RegExp(`^Cannot .*podman ${command}.*; .*(?:host|podman|again|mend)`, "s"),
      ),
    });

  describe.each(["ps", "pod ps", "images", "container inspect"])("podman %s", (command) => {
    const file = command.replace(" ", "-");
    // an observation asks for its lists only where the store's files do not tell
    const look = async ({ identity }: PodInstance): Promise<unknown> => {
      if (command.endsWith("ps")) return await engine.engine.remove(identity);
      if (command !== "images") return await engine.engine.observe();
      const { reference, manifest } = engine.base;
      const image = { reference, digest: manifest.digest };
      return await engine.engine.claimImage(image, { owner: "acme", fleet: "other" });
    };

    test.each([
      ["cut short", 'REAL "$@" | head -c 1; exit 0'],
      ["free text before it", 'echo "Warning: something is deprecated"; exec REAL "$@"'],
      ["of another form", "echo '[{\"Id\":7}]'; exit 0"],
      ["nothing at all", "exit 0"],
      ["the word json", "echo json; exit 0"],
      ["endless", "head -c 20000000 /dev/zero; exit 0"],
      ["an error, and the list beside it", 'REAL "$@"; echo "Error: out of order" >&2; exit 125'],
    ])("an answer that is %s is an error", async (_, script) => {
      const pod = await engine.prepared({ main: SERVER });
      answer(file, script);
      await expect(look(pod)).rejects.toEqual(named(command));
    });

    test("10 MB of warnings beside it change nothing", async () => {
      const pod = await engine.prepared({ main: SERVER });
      answer(file, `${FLOOD}; exec REAL "$@"`);
      await look(pod);
      expect(asked()).toContain(file);
      const isRemoved = command.endsWith("ps");
      expect((await engine.observed(pod))?.state).toBe(isRemoved ? undefined : "prepared");
    });

    test("10 MB of warnings before its failure make no long message", async () => {
      const pod = await engine.prepared({ main: SERVER });
      answer(file, `${FLOOD}; echo "Error: out of order" >&2; exit 125`);
      const failure = await look(pod).catch((error: unknown) => error);
      expect(failure).toEqual(named(command));
      expect((failure as Error).message.length).toBeLessThan(1000);
    });
  });

  test("a container that ends between podman's word and the look at the kernel was started", async () => {
    const pod = await engine.prepared({ main: script("sleep 0.2; exit 3") });
    answer(
      "container-inspect",
      `said=$(REAL "$@"); case "$said" in *'"running"'*) sleep 1.5 ;; esac; printf '%s' "$said"; exit 0`,
    );
    await engine.engine.start(pod);
    expect(await engine.ended(pod)).toMatchObject({ exitCode: 3 });
  });

  test("a removal that ended between its two halves is seen, hides no other pod, and is in nobody's way", async () => {
    const [pod, other] = [
      await engine.prepared({ main: SERVER }),
      await engine.prepared({ main: SERVER }),
    ];
    const { folder, podman } = engine.opened as PodmanInFolder;
    // podman gives up the file system first, and then its own entry
    answer(
      "rm",
      `for list in ${folder}/root/*-containers; do
  ${process.execPath} -e '${WITHOUT}' "$list/containers.json" "$@"
done
kill -KILL $$`,
    );
    await expect(engine.engine.remove(pod.identity)).rejects.toThrow("remove containers");
    restore();
    const { pods, leftovers } = await engine.engine.observe();
    expect(pods).toMatchObject([other.identity]);
    expect(leftovers).toHaveLength(1);
    await expect(engine.engine.start(pod)).rejects.toMatchObject({ code: "not_found" });
    const only = [pod.identity, other.identity];
    const seen = await engine.engine.observe({ podsOnly: true, only });
    expect(seen.pods).toMatchObject([other.identity]);
    // takes the rest away first
    await engine.engine.prepare(pod);
    await engine.engine.start(pod);
    expect(await engine.observed(pod)).toMatchObject({ state: "running" });
    await engine.engine.remove(pod.identity);
    expect(await engine.engine.observe()).toMatchObject({ pods: [other.identity], leftovers: [] });
    expect(podman("ps", "--all", "--quiet").trim().split("\n")).toHaveLength(1);
  });

  test("null in place of empty lists is nothing", async () => {
    for (const command of ["ps", "pod-ps", "images"]) answer(command, "echo null; exit 0");
    await engine.engine.remove(engine.pod({ main: SERVER }).identity);
    const claiming = engine.engine.claimImage(applied(engine.other), engine.ownership);
    await expect(claiming).rejects.toMatchObject({ code: "not_found" });
    expect(asked()).toEqual(new Set(["ps", "pod-ps", "images"]));
  });

  test.each([
    ["runc", "runc create failed: container with given ID already exists"],
    ["crun", "crun: container `c0ffee` already exists"],
  ])(
    "a container that %s has already, which podman cannot start therefore, is made anew",
    async (_, text) => {
      const pod = await engine.started({ main: SERVER });
      await engine.engine.stop(pod.identity);
      const { podman } = engine.opened as PodmanInFolder;
      const ids = (): string => podman("ps", "--all", "--quiet", "--no-trunc");
      const before = ids();
      const once = join(answers, "once");
      answer(
        "start",
        `[ -e ${once} ] || { : >${once}; echo 'Error: OCI runtime error: ${text}' >&2; exit 125; }`,
      );
      await engine.engine.start(pod);
      expect(await engine.observed(pod)).toMatchObject({ state: "running" });
      expect(ids()).not.toBe(before);
    },
  );

  test("a container that podman leaves out of its list is not taken away with its image", async () => {
    const { podman } = engine.opened as PodmanInFolder;
    const somebody = { owner: "somebody", fleet: "else" };
    await engine.engine.importImage(engine.other, somebody);
    const id = engine.other.config.digest.replace("sha256:", "");
    const container = podman("create", "--network", "none", id, "/bin/true").trim();
    answer("ps", "echo '[]'; exit 0");
    const releasing = engine.engine.releaseImage(nameOf(engine.other), somebody);
    await expect(releasing).rejects.toEqual(named("image rm"));
    restore();
    expect(podman("ps", "--all", "--quiet", "--no-trunc").trim()).toBe(container);
    podman("rm", container);
    await engine.engine.releaseImage(nameOf(engine.other), somebody);
  });

  test.each([
    ["an empty list", "echo '[]'; exit 0"],
    ["null", "echo null; exit 0"],
    ["one of two", `REAL "$@" | ${process.execPath} -e '${FIRST}'; exit 0`],
  ])("containers that podman lists and does not tell of are not gone: %s", async (_, script) => {
    for (const _ of [1, 2]) await engine.prepared({ main: SERVER });
    answer("container-inspect", script);
    await expect(engine.engine.observe()).rejects.toEqual(named("container inspect"));
  });

  /** Passes what podman tells of containers through sed. */
  const retell = (expression: string): void =>
    answer("container-inspect", `REAL "$@" | sed -E '${expression}'; exit 0`);

  test("a time in nanoseconds where text was is an error", async () => {
    await engine.started({ main: SERVER });
    retell('s/"StartedAt": "[^"]*"/"StartedAt": 1764113312508500553/');
    await expect(engine.engine.observe()).rejects.toEqual(named("container inspect"));
  });

  test("times in lists in another unit change nothing", async () => {
    const pod = await engine.started({ main: SERVER });
    answer(
      "images",
      `REAL "$@" | sed -E 's/"Created": -?[0-9]+/"Created": 1764113312508500553/'; exit 0`,
    );
    const { reference, manifest } = engine.base;
    const image = { reference, digest: manifest.digest };
    await engine.engine.claimImage(image, { owner: "acme", fleet: "times" });
    expect(asked()).toEqual(new Set(["images"]));
    expect(await engine.observed(pod)).toMatchObject({ state: "running" });
  });

  test("a state that nobody knows is unknown, and the pod not gone", async () => {
    const pod = await engine.started({ main: SERVER });
    retell('s/"Status": "running"/"Status": "hibernating"/');
    expect((await engine.container(pod)).state).toBe("unknown");
  });

  test.each([
    ["nobody", "4194303"],
    ["another process", "1"],
  ])("a pid of %s that podman calls running does not run", async (_, pid) => {
    const pod = await engine.started({ main: SERVER });
    retell(`s/"(Pid|ConmonPid)": [0-9]+/"\\1": ${pid}/`);
    expect(await engine.container(pod)).toMatchObject({ state: "exited" });
    expect((await engine.container(pod)).exitCode).toBeUndefined();
  });

  describe("exit code 0 with nothing done", () => {
    test.each([
      ["that prints nothing", NOTHING],
      ["that prints an id", `echo ${"ab".repeat(32)}; exit 0`],
    ])("of create %s", async (_, script) => {
      answer("create", script);
      const pod = engine.pod({ main: SERVER });
      await expect(engine.engine.prepare(pod)).rejects.toThrow(/^Cannot .*podman (?:create|init)/);
      expect(await engine.observed(pod)).toBeUndefined();
    });

    test.each([
      ["that prints nothing", NOTHING],
      ["that prints an id", `echo ${"ab".repeat(32)}; exit 0`],
    ])("of run %s", async (_, script) => {
      const pod = engine.pod({ main: SERVER });
      await engine.engine.prepare(pod, { startsNext: true });
      answer("run", script);
      await expect(engine.engine.start(pod)).rejects.toThrow(/^Cannot .*; /);
    });

    test("of pod create", async () => {
      answer("pod-create", NOTHING);
      const pod = engine.pod({ main: SERVER, other: SERVER });
      await expect(engine.engine.prepare(pod)).rejects.toEqual(named("pod create"));
    });

    test("of init", async () => {
      answer("init", 'eval "echo \\${$#}"; exit 0');
      const pod = engine.pod({ main: SERVER });
      await expect(engine.engine.prepare(pod)).rejects.toEqual(named("init"));
      expect(await engine.observed(pod)).toBeUndefined();
    });

    test("of start, of a pod that is prepared", async () => {
      const pod = await engine.prepared({ main: SERVER });
      answer("start", NOTHING);
      await expect(engine.engine.start(pod)).rejects.toEqual(named("start"));
    });

    test("of start, of a pod that has run before", async () => {
      const pod = await engine.started({ main: SERVER });
      await engine.engine.stop(pod.identity);
      answer("start", NOTHING);
      await expect(engine.engine.start(pod)).rejects.toEqual(named("start"));
    });

    test("of unpause", async () => {
      const pod = await engine.started({ main: SERVER });
      const pause = async (command: string): Promise<void> => {
        const { id } = await engine.container(pod);
        (engine.opened as PodmanInFolder).podman(command, id);
      };
      await pause("pause");
      answer("unpause", NOTHING);
      await expect(engine.engine.start(pod)).rejects.toEqual(named("start"));
      restore();
      await pause("unpause");
    });

    test("of stop", async () => {
      const pod = await engine.started({ main: SERVER });
      answer("stop", NOTHING);
      answer("kill", NOTHING);
      const stopping = engine.engine.stop(pod.identity, {
        containers: { main: { gracePeriodMs: 100 } },
      });
      await expect(stopping).rejects.toThrow(/^Cannot stop .*; see/);
      expect(await engine.observed(pod)).toMatchObject({ state: "running" });
    });

    test("of rm", async () => {
      const pod = await engine.started({ main: SERVER });
      answer("rm", NOTHING);
      await expect(engine.engine.remove(pod.identity)).rejects.toEqual(named("rm"));
      expect(await engine.observed(pod)).toBeDefined();
    });

    test("of pod rm", async () => {
      const pod = await engine.started({ main: SERVER, other: SERVER });
      answer("pod-rm", NOTHING);
      await expect(engine.engine.remove(pod.identity)).rejects.toEqual(named("pod rm"));
      expect(await engine.observed(pod)).toBeDefined();
    });

    test("of load", async () => {
      answer("load", "cat >/dev/null; exit 0");
      const importing = engine.engine.importImage(engine.other, engine.ownership);
      await expect(importing).rejects.toEqual(named("load"));
      expect(await engine.image(engine.other)).toBeUndefined();
    });

    test("of image rm and of tag", async () => {
      const other = { owner: "somebody", fleet: "else" };
      await engine.engine.importImage(engine.other, other);
      answer("image-rm", NOTHING);
      const releasing = engine.engine.releaseImage(nameOf(engine.other), other);
      await expect(releasing).rejects.toEqual(named("image rm"));
      restore();
      await engine.engine.releaseImage(nameOf(engine.other), other);
      expect(await engine.image(engine.other)).toBeUndefined();
      const alias = { ...applied(engine.base), reference: "localhost/alias:1" };
      answer("tag", NOTHING);
      await expect(engine.engine.claimImage(alias, other)).rejects.toEqual(named("tag"));
    });
  });

  test("a failure with 10 MB of warnings says its reason alone", async () => {
    const pod = engine.pod({ main: SERVER });
    for (const command of ["create", "init"]) {
      answer(command, `${FLOOD}; echo "Error: out of order" >&2; exit 125`);
      const failure = await engine.engine.prepare(pod).catch((error: unknown) => error);
      expect(failure).toEqual(named(command));
      expect((failure as Error).message.length).toBeLessThan(1000);
      restore();
    }
  });
});
