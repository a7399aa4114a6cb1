import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { layPod } from "./disk-pod.ts";
import { podsOfAnswer } from "./pods-of-answer.ts";
import type { Transcript } from "./recorded-run.ts";
import { FLY, type RktWorld, type StartedPod } from "./rkt-world.ts";

/** What a transcript needs to be there, and what its command names. */
export interface Given {
  /** The pod that the command names. */
  readonly uuid?: string;
  /** Ids of images that stand for recorded ones, in order. */
  readonly images?: readonly string[];
  /** What the command does must end by this. */
  readonly meanwhile?: () => Promise<void>;
}

/** How a transcript is replayed. */
export interface Scenario {
  readonly given?: (world: RktWorld, transcript: Transcript) => Promise<Given | undefined>;
  /** The folder that the command runs in. */
  readonly folder?: string;
  /** Lines whose order rkt leaves to chance. */
  readonly anyOrder?: boolean;
  /** What of the answer is the machine's own. */
  readonly alsoVaries?: RegExp;
  /** Compared as it is, with times, UUIDs and the width of columns. */
  readonly exact?: boolean;
  /** Only the double has what it needs. */
  readonly doubleOnly?: boolean;
}

type Names = string | readonly string[];

function all(names: Names, scenario: Scenario): [string, Scenario][] {
  return [names]
    .flat()
    .flatMap((line) => line.split(/\s+/))
    .map((name) => [name, scenario]);
}

/** The pods of the answer lie on disk, to the nanosecond. */
const onDisk: Scenario = {
  exact: true,
  doubleOnly: true,
  given: async (world, transcript) => {
    for (const pod of podsOfAnswer(transcript)) world.keep(await layPod(world.dataDir, pod));
    return undefined;
  },
};

/** A second more or less may pass meanwhile. */
const someTimeAgo: Scenario = { ...onDisk, exact: false };

/** The same, beside a pod that `list` cannot show in JSON. */
const beside = (state: string): Scenario => ({
  ...onDisk,
  given: async (world, transcript) => {
    world.keep(await layPod(world.dataDir, { uuid: PREPARING, state, apps: [] }));
    return await onDisk.given?.(world, transcript);
  },
});

/** The pods that a collection tells of, in the states from which it takes them. */
const collected: Scenario = {
  exact: true,
  doubleOnly: true,
  given: async (world, { stdout, stderr }) => {
    const states = [
      [/moving pod "(\S+)"/g, "exited"],
      [/failed prepare "(\S+)"/g, "aborted prepare"],
      [/expired prepared pod "(\S+)"/g, "prepared"],
      [/pod "(\S+)" not removed/g, "exited garbage"],
      [
        /Garbage collecting pod "(\S+)"/g,
        stderr.includes("not removed") ? "garbage" : "exited garbage",
      ],
    ] as const;
    const laid = new Set<string>();
    for (const [pattern, state] of states) {
      for (const [, uuid = ""] of (stderr + stdout).matchAll(pattern)) {
        if (laid.has(uuid)) continue;
        laid.add(uuid);
        world.keep(await layPod(world.dataDir, { uuid, state, created: "@1795450009", apps: [] }));
      }
    }
    return undefined;
  },
};

const dockerImage: Scenario = {
  given: async (world) => ({ images: [await world.image("docker")] }),
};

const withImage = async (world: RktWorld): Promise<Given> => ({
  images: [await world.image("bb")],
});
const stored: Scenario = { given: withImage };
const missingPod: Scenario = {};

function state(name: string, uuid: string): Scenario {
  return {
    exact: true,
    doubleOnly: true,
    given: async (world) => {
      world.keep(
        await layPod(world.dataDir, {
          uuid,
          state: name,
          created: "@1795450009",
          apps: [{ name: "web", imageId: "sha512-9d401515c741" }],
          ...(name === "running" ? { started: "@1795450010" } : {}),
        }),
      );
      return undefined;
    },
  };
}

const WEB = "1ad623e0-0c16-4b91-953a-d0a2c12991a8";
const PREPARING = "a4bd5e1c-820c-489c-a39d-723661d324d3";

function manifest(...names: readonly string[]): Scenario {
  return {
    given: async (world) => {
      for (const name of names) await world.manifest(name, "bb");
      return undefined;
    },
  };
}

/** A prepared pod of a manifest. */
function prepared(name: string, image: "bb" | "bbf" = "bbf"): Scenario {
  return { given: async (world) => ({ uuid: await world.prepare(name, image, [FLY]) }) };
}

/** A pod of fly that ended of itself. */
function ended(name: string): Scenario {
  return {
    given: async (world) => {
      const uuid = await world.prepare(name, "bbf", [FLY]);
      await world.run(["run-prepared", uuid]);
      return { uuid };
    },
  };
}

async function sleeping(
  world: RktWorld,
): Promise<{ readonly uuid: string; readonly pod: StartedPod }> {
  const uuid = await world.prepare("fly-sleep.json", "bbf", [FLY]);
  const pod = await world.start(uuid, []);
  await pod.says("up");
  // its child must be there too
  while (childOf(pod.pid) === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  const child = childOf(pod.pid) ?? 0;
  world.keep({ [Symbol.asyncDispose]: async () => endProcess(child) });
  return { uuid, pod };
}

function childOf(pid: number): number | undefined {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? undefined : Number(text.split(" ")[0]);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended
  }
}

const running: Scenario = { given: async (world) => ({ uuid: (await sleeping(world)).uuid }) };
const runningAnyOrder: Scenario = { ...running, anyOrder: true };

/** The pod's process has ended and a child of it has not. */
const childLeft: Scenario = {
  given: async (world) => {
    const { uuid, pod } = await sleeping(world);
    process.kill(pod.pid, "SIGTERM");
    await pod.exitCode;
    return { uuid };
  },
};

const stopped: Scenario = {
  given: async (world) => {
    const { uuid, pod } = await sleeping(world);
    const child = childOf(pod.pid) ?? 0;
    process.kill(pod.pid, "SIGTERM");
    await pod.exitCode;
    endProcess(child);
    while (existsSync(`/proc/${child}`)) await new Promise((resolve) => setTimeout(resolve, 10));
    return { uuid };
  },
};

const marked: Scenario = {
  given: async (world, transcript) => {
    const given = await stopped.given?.(world, transcript);
    await world.must(["gc", "--mark-only"]);
    return given;
  },
};

const uuidFile: Scenario = {
  exact: true,
  doubleOnly: true,
  given: async (world, transcript) => {
    const [pod] = podsOfAnswer(transcript);
    if (pod !== undefined) {
      world.keep(await layPod(world.dataDir, pod));
      writeFileSync(join(world.root, "scratch/uf"), pod.uuid);
    }
    return undefined;
  },
};

const fileOfEnded: Scenario = {
  given: async (world, transcript) => {
    const { uuid = "" } = (await ended("fly-seven.json").given?.(world, transcript)) ?? {};
    writeFileSync(join(world.root, "scratch/uf"), uuid);
    return { uuid };
  },
};

const fileOfGone: Scenario = {
  given: async (world, { stderr }) => {
    writeFileSync(join(world.root, "scratch/uf"), /"([0-9a-f-]{36})"/.exec(stderr)?.[1] ?? "");
    return undefined;
  },
};

/** The host flavour with a manifest; the real one is not everywhere. */
function onHost(...names: readonly string[]): Scenario {
  return { ...manifest(...names), doubleOnly: true };
}

/** The host flavour's pod of two apps, running. */
const hostRunning: Scenario = {
  doubleOnly: true,
  given: async (world) => {
    const uuid = await world.prepare("enter.json", "bb");
    const pod = await world.start(uuid);
    await pod.says("side-start");
    return { uuid };
  },
};

/** Scenarios by the transcript's name without its ending. */
export const REPLAYED: ReadonlyMap<string, Scenario> = new Map([
  ...all(
    "version unknown-command unknown-subflag format-bad bad-insecure-option fetch-noargs fetch-badflag",
    {},
  ),
  ...all(
    "list-empty-table list-empty image-list-empty-table image-list-empty image-list-empty2 list-after-gc",
    {},
  ),
  ...all(
    "list-dir-after list-missing-dir prefix-match-cmd list-empty-no-legend attach-without-experiment",
    {},
  ),
  ...all(
    "cat-manifest-missing status-badprefix status-missing stop-missing run-prepared-missing",
    missingPod,
  ),
  ...all("status-garbage status-garbage-kv status-removed rm-again", missingPod),
  ...all("status-uuid-file-missing rm-uuid-file-missing", {}),
  ...all("fetch-bad-hash fetch-missing-file fetch-garbage-file fetch-unknown-name", {}),
  ...all(
    "fetch-docker-secure-fails fetch-docker-uppercase fetch-docker-emptyref fetch-docker-short-digest",
    {},
  ),
  ...all("fetch-relative-missing-file", { folder: "images" }),
  ...all("fetch-file-full fetch-file-insecure-image fetch-file-secure-fails", {
    given: async (world) => void world.makeAci("bb"),
  }),
  ...all("image-cat-manifest image-verify", stored),
  ...all(
    "image-cat-manifest-dockerref image-cat-manifest-missing image-cat-manifest-ambig",
    stored,
  ),
  ...all("image-rm-missing image-export-missing image-export", stored),
  ...all("image-export-exists", {
    given: async (world) => {
      writeFileSync(join(world.root, "scratch/out.aci"), "");
      return await withImage(world);
    },
  }),
  ...all("image-list-table-short", {
    doubleOnly: true,
    given: async (world) => {
      await world.must(["prepare", "--quiet", FLY, "--pod-manifest=fly-no-apps.json"]);
      await world.image("bb");
      await world.image("bbf");
      return undefined;
    },
  }),
  ...all("fly-image-rm", { given: async (world) => ({ images: [await world.image("bbf")] }) }),
  ...all("fly-image-rm-again image-rm-hash-missing", {}),
  ...all(
    "image-cat-manifest-docker image-cat-manifest-dockername image-cat-manifest-shortid",
    dockerImage,
  ),
  ...all("image-rm-inuse", dockerImage),
  ...all("image-rm-byid", {
    given: async (world) => ({ images: [await world.image("bb"), await world.image("bbf")] }),
    anyOrder: true,
  }),
  // on rkt itself stage1 is there before them
  ...all("fly-image-list-json fly-image-list-pretty fly-image-list-full", {
    doubleOnly: true,
    given: async (world) => {
      await world.image("bb");
      await world.prepare("fly-seven.json", "bbf", [FLY]);
      return undefined;
    },
  }),
  ...all("config-badjson", {
    given: async (world) => {
      mkdirSync(join(world.root, "etc/local/auth.d"));
      writeFileSync(join(world.root, "etc/local/auth.d/x.json"), "{broken");
      return undefined;
    },
  }),
  ...all("fetch-pull-policy-never-missing", {}),
  ...all("prepare-noquiet prepare-cli-multi-useranno prepare-quiet", stored),
  ...all("prepare-useranno-before-image prepare-uuidsave", {}),
  ...all("prepare-manifest-and-image", stored),
  ...all("prepare-podmanifest", {
    given: async (world) => {
      copyFileSync(await world.manifest("pm1.json", "bb"), join(world.root, "scratch/pm1.json"));
      return undefined;
    },
  }),
  ...all("prepare-second prepare-first-in-fresh-store", manifest("seven.json")),
  ...all("prepare-short-imageid", manifest("shortid.json")),
  ...all("prepare-short32-imageid", manifest("shortid32.json")),
  ...all("prepare-bad-imageid", manifest("badid.json")),
  ...all("prepare-bad-appname", manifest("badname.json")),
  ...all("prepare-bad-annotation-name", manifest("anno-bad.json")),
  ...all("prepare-badjson", manifest("badjson.json")),
  ...all("prepare-badvol", manifest("badvol.json")),
  ...all("prepare-dup-app", manifest("dup.json")),
  ...all("prepare-noapp", manifest("noapp.json")),
  ...all("isolator-bad", manifest("membad.json")),
  ...all("isolator-unknown", manifest("membad2.json")),
  ...all("fly-prepare-from-dir", {
    given: async (world) => void (await world.manifest("fly-seven.json", "bbf")),
  }),
  // where rkt keeps them is compiled in
  ...all("prepare-from-dir-missing", { alsoVaries: /(?<=open )\S*\/(?=stage1)/ }),
  // rkt looks for its stage1 before anything else, and has it from the first image on
  ...all(
    "prepare-unknown-stage1 fly-prepare-nofile prepare-nofile prepare-missing-image prepare-pull-never",
    { given: async (world) => void (await world.image("bbf")) },
  ),
  ...all("nonroot-prepare", { given: async (world) => void chmodSync(world.root, 0o755) }),
  ...all("nonroot-list", {
    given: async (world) => {
      mkdirSync(join(world.dataDir, "pods"), { recursive: true });
      chmodSync(world.root, 0o755);
      return undefined;
    },
  }),
  // pods that lie on disk as the answer tells of them
  ...all("list-prepared list-running list-running-table", onDisk),
  ...all("list-aborted-table list-preparing-table list-garbage-table list-after-bads", someTimeAgo),
  ...all(
    "list-after-bad-imageid list-with-badjson-config list-net-table list-noapp-table",
    someTimeAgo,
  ),
  ...all("list-aborted", beside("aborted prepare")),
  ...all("list-preparing", beside("preparing")),
  ...all("gc-expire-prepared gc-grace0 gc-mark-aborted gc-within-grace", collected),
  ...all("list-nets fly-list-running-json fly-list-exited-json", onDisk),
  ...all(
    "status-running status-running-kv status-prepared status-prepared-kv status-prepared-pm",
    onDisk,
  ),
  ...all(
    "status-preparing-kv status-aborted-kv status-exited-garbage-kv status-net-default",
    onDisk,
  ),
  ...all(
    "status-net-default-kv status-net-exited status-after-stop status-running-oneexited",
    onDisk,
  ),
  ...all("status-wait-timeout2 fly-status-running fly-status-exited fly-status-running-kv", onDisk),
  ...all("status-uuid-file status-wait-exited", uuidFile),
  // the apps of one come in any order
  ...all("status-after-stop-kv status-wait-blocks", { ...onDisk, anyOrder: true }),
  // when it was marked cannot be set
  ...all("status-exited-garbage", { ...onDisk, exact: false }),
  ...all("status-wait-ready", state("running", WEB)),
  ...all("status-wait-ready-on-exited", state("exited", "1b1b10b2-3d35-4dfd-aef3-a765eff46f25")),
  ...all("status-preparing cat-manifest-preparing rm-preparing", state("preparing", PREPARING)),
  ...all("status-aborted", state("aborted prepare", PREPARING)),
  ...all("run-prepared-again enter-exited stop-again", state("exited", WEB)),
  ...all("rm-ok", state("exited", WEB)),
  ...all("rm-running export-running", state("running", WEB)),
  ...all("stop-prepared", state("prepared", "87f9545d-469b-4b86-a1df-c43dfc97fb78")),
  ...all("rm-noapp", { given: async (world) => ({ uuid: await world.prepare("noapp.json") }) }),
  ...all("rm-uuid-file", fileOfEnded),
  ...all("rm-uuid-file-again", fileOfGone),
  ...all("cat-manifest-pm", {
    given: async (world) => ({ uuid: await world.prepare("pm1.json") }),
  }),
  ...all("cat-manifest-prepared cat-manifest-compact", {
    given: async (world) => {
      await world.image("bb");
      const flags = [
        "--name=myapp",
        "--user-annotation=a1=v1",
        "--user-label=l1=w1",
        "--annotation=acme.com/x=y",
      ];
      const own = [
        "--environment=K=V",
        "--memory=64Mi",
        "--cpu=250m",
        "--cpu-shares=512",
        "--exec",
        "/bin/sh",
      ];
      const words = [
        "prepare",
        "--quiet",
        "example.com/bb:1.0.0",
        ...flags,
        ...own,
        "--",
        "-c",
        "echo hi; exit 3",
      ];
      return { uuid: (await world.must(["--insecure-options=image", ...words])).stdout.trim() };
    },
  }),
  // flavour fly
  ...[
    "seven",
    "volumes",
    "empty-volume",
    "unknown-volume",
    "missing-volume",
    "nouser",
    "nogroup",
    "user",
    "uid",
  ]
    .concat([
      "no-folder",
      "exec-missing",
      "exec-unfound",
      "exec-denied",
      "exec-empty",
      "killed",
      "wide",
      "env",
    ])
    .flatMap((name) => [
      ...all(`fly-prepare-${name}`, {
        given: async (world) => void (await world.manifest(`fly-${name}.json`, "bbf")),
      }),
      ...all(`fly-run-${name}`, { ...prepared(`fly-${name}.json`), anyOrder: name === "env" }),
    ]),
  ...all("fly-prepare-image-mount", {
    given: async (world) => void (await world.manifest("fly-image-mount.json", "bb")),
  }),
  ...all("fly-run-image-mount", prepared("fly-image-mount.json", "bb")),
  ...all("fly-cat-manifest-wide fly-status-wide", ended("fly-wide.json")),
  ...all("fly-status-not-started fly-status-not-started-json", ended("fly-empty-volume.json")),
  ...all(
    "fly-status-exited-kv fly-list-exited fly-enter-exited fly-stop-again fly-run-again fly-rm",
    ended("fly-seven.json"),
  ),
  ...all("fly-fetch-full", { given: async (world) => void world.makeAci("bbf") }),
  ...all(
    "fly-status-running-kv2 fly-list-running fly-list-running-full fly-rm-running fly-run-running",
    running,
  ),
  ...all(
    "fly-enter-missing-cmd fly-enter-relative-cmd fly-enter-badapp fly-enter-app fly-enter-defaultcmd",
    running,
  ),
  ...all("fly-enter-env", runningAnyOrder),
  ...all(
    "fly-enter fly-stop fly-status-wait-timeout fly-stop-running fly-stop-force fly-status-wait-ready",
    running,
  ),
  ...all("fly-status-child-left fly-stop-child-left", childLeft),
  ...all("fly-status-stopped fly-rm-stopped fly-gc-mark-only", stopped),
  ...all(
    "fly-status-marked fly-status-marked-json fly-list-marked fly-gc-within-grace fly-gc-grace0",
    marked,
  ),
  ...all("fly-prepare-no-apps", { given: async (world) => void (await world.image("bbf")) }),
  ...all("fly-list-no-apps", {
    given: async (world) => {
      await world.image("bbf");
      await world.run(["prepare", "--quiet", FLY, "--pod-manifest=nosuch-file.json"]);
      await world.prepare("fly-no-apps.json", "bbf", [FLY]);
      return undefined;
    },
    anyOrder: true,
  }),
  ...all("fly-missing-exec", { given: async (world) => void (await world.image("bbf")) }),
  ...all("fly-multi-app", manifest("sleepf2.json")),
  // flavour host
  ...all("run-uuid-file-save", onHost("seven.json")),
  ...all("run-net-none", { ...onHost("net2.json"), alsoVaries: /.*inet6[^\n]*\n/ }),
  ...all("run-net-unknown", onHost("net2.json")),
  ...all("exec-missing", onHost("nosuch.json")),
  ...all("exec-notexec", onHost("noexec.json")),
  ...all("exec-relative", onHost("rel.json")),
  ...all("exec-percent", { ...onHost("pct.json"), alsoVaries: /(?<=\/root )\d+/ }),
  ...all("user-name", onHost("nobody.json")),
  ...all("user-num", onHost("uid.json")),
  ...all("user-missing", onHost("nouser.json")),
  ...all("env-special", onHost("env.json")),
  ...all("run-two-images run-hostvol-missing run-same-image-twice-noname run-port-unknown", {
    ...stored,
    doubleOnly: true,
  }),
  ...all("run-port-nethost", { ...stored, doubleOnly: true }),
  ...all("run-prepared-net-mynet-localconfig-ignored", {
    doubleOnly: true,
    given: async (world) => ({ uuid: await world.prepare("seven.json") }),
  }),
  ...all(
    "enter-badapp enter-defaultcmd enter-exitcode enter-missing-cmd enter-noapp-multi",
    hostRunning,
  ),
  ...all("enter-ok", {
    ...hostRunning,
    given: async (world, transcript) => {
      writeFileSync(join(world.root, "scratch/hostvol/f"), "host-file");
      setRecordedTimes(world);
      return await hostRunning.given?.(world, transcript);
    },
  }),
  ...all("enter-relative-cmd enter-shortuuid stop-running", hostRunning),
  ...all("enter-env", { ...hostRunning, anyOrder: true }),
  ...all("export-exited", {
    doubleOnly: true,
    given: async (world) => {
      const uuid = await world.prepare("export.json");
      await world.run(["run-prepared", "--net=none", uuid]);
      return { uuid };
    },
  }),
]);

/** Time of the host's folder that a transcript lists. */
export function setRecordedTimes(world: RktWorld): void {
  const folder = join(world.root, "scratch/hostvol");
  execFileSync("touch", ["-d", "2026-11-23T16:05Z", join(folder, "f"), folder]);
}
