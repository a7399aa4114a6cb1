import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ImageFile } from "../../../scripts/lib/make-image.ts";
import type { ProvidedEngine } from "../../set-up/describe-with-engine.ts";
import { makeBusyboxAci } from "./make-aci.ts";
import { RKT_FIXTURES, readTranscripts } from "./recorded-run.ts";

/** Where the transcripts were recorded. */
const RECORDED_ROOT = "/srv/rkt";

/** What a run gave. */
export interface RktResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const APP = {
  exec: ["/bin/sh", "-c", "echo hello-from-bb; exit 0"],
  user: "0",
  group: "0",
  workingDirectory: "/",
  environment: [
    { name: "PATH", value: "/bin" },
    { name: "FOO", value: "from-image" },
  ],
  mountPoints: [{ name: "data", path: "/data" }],
  ports: [{ name: "http", protocol: "tcp", port: 8080, count: 1, socketActivated: false }],
};
const IMAGES = {
  /** As the one of the recordings: two users, and these folders. */
  bb: {
    version: "1.0.0",
    app: APP,
    without: ["/home/app"],
    files: new Map<string, ImageFile>([
      [
        "/etc/passwd",
        { content: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n" },
      ],
      ["/etc/group", { content: "root:x:0:\nnobody:x:65534:\n" }],
      ...["/data", "/usr"].map((path): [string, ImageFile] => [path, { directory: true }]),
    ]),
    annotations: [
      { name: "authors", value: "adapter test" },
      { name: "created", value: "2024-01-01T00:00:00Z" },
    ],
  },
  /** One that rkt converted of a registry's; its manifest is recorded. */
  docker: { manifestOf: "image-cat-manifest-docker.json" },
  bbf: {
    name: "example.com/bbf",
    app: { exec: ["/bin/sh", "-c", "echo hi"], user: "0", group: "0" },
  },
} as const;
export type WorldImage = keyof typeof IMAGES;

export const FLY = "--stage1-name=coreos.com/rkt/stage1-fly:1.30.0";

/** A place like the one where the transcripts were recorded, with an rkt of its own. */
export class RktWorld implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), "stowage-rkt-"));
  readonly #program: string;
  readonly #isReal: boolean;
  readonly #ids = new Map<WorldImage, string>();
  readonly #kept: AsyncDisposable[] = [];

  constructor({ address, isDouble }: ProvidedEngine) {
    this.#program = address;
    this.#isReal = !isDouble;
    for (const folder of [
      "data",
      "etc/local",
      "etc/system",
      "images",
      "manifests",
      "scratch/hostvol",
    ]) {
      mkdirSync(join(this.root, folder), { recursive: true });
    }
    writeFileSync(join(this.root, "scratch/hostvol/f"), "content\n");
    writeFileSync(join(this.root, "images/garbage.aci"), "garbage".repeat(1000));
    for (const name of readdirSync(join(RKT_FIXTURES, "manifests"))) {
      const text = readFileSync(join(RKT_FIXTURES, "manifests", name), "utf8");
      writeFileSync(join(this.root, "manifests", name), this.here(text));
    }
  }

  get dataDir(): string {
    return join(this.root, "data");
  }

  /** Kept until the world goes. */
  keep(resource: AsyncDisposable): void {
    this.#kept.push(resource);
  }

  /** A text with the paths of this world instead of the recorded ones. */
  here(text: string): string {
    return text.replaceAll(RECORDED_ROOT, this.root);
  }

  /** The other way round. */
  asRecorded(text: string): string {
    return text.replaceAll(this.root, RECORDED_ROOT);
  }

  /** Makes the file of an image. */
  makeAci(image: WorldImage): string {
    const out = join(this.root, "images", `${image}.aci`);
    const options = IMAGES[image];
    if (!("manifestOf" in options)) {
      makeBusyboxAci({ out, ...options });
      return out;
    }
    const recorded = readTranscripts().find(({ name }) => name === options.manifestOf);
    makeBusyboxAci({ out, manifest: JSON.parse(recorded?.stdout ?? "") as object });
    return out;
  }

  /** Puts an image into the store, once. @returns its id */
  async image(image: WorldImage): Promise<string> {
    const known = this.#ids.get(image);
    if (known !== undefined) return known;
    const { stdout } = await this.must([
      "--insecure-options=image",
      "fetch",
      "--full",
      this.makeAci(image),
    ]);
    const id = stdout.trim();
    this.#ids.set(image, id);
    if (this.#isReal && this.#ids.size === 1) await this.#installStage1();
    return id;
  }

  /** rkt finds a stage1 by its name only in its store, where a prepare with the one it was installed with puts it. */
  async #installStage1(): Promise<void> {
    const stage1 = "--stage1-from-dir=stage1-fly.aci";
    const { stdout } = await this.must([
      ...["prepare", "--quiet", stage1, "--pod-manifest=fly-no-apps.json"],
    ]);
    await this.must(["rm", stdout.trim()]);
  }

  /** Writes the recorded manifest of a name with an image of this store. */
  async manifest(name: string, image: WorldImage): Promise<string> {
    const id = await this.image(image);
    const path = join(this.root, "manifests", name);
    const text = readFileSync(path, "utf8");
    // a prefix stays one of the same length, and an id of nothing stays that
    writeFileSync(
      path,
      text.replace(/sha512-(?!0000)[0-9a-f]+/g, (found) => id.slice(0, found.length)),
    );
    return path;
  }

  /** Prepares a pod of a recorded manifest. @returns its UUID */
  async prepare(
    name: string,
    image: WorldImage = "bb",
    flags: readonly string[] = [],
  ): Promise<string> {
    const file = await this.manifest(name, image);
    return (
      await this.must(["prepare", "--quiet", ...flags, `--pod-manifest=${file}`])
    ).stdout.trim();
  }

  /** Starts a prepared pod as a supervisor does, and waits until it has a process. */
  async start(uuid: string, flags: readonly string[] = ["--net=none"]): Promise<StartedPod> {
    const out = openSync(join(this.root, `${uuid}.out`), "w");
    const [program, ...words] = this.#command(["run-prepared", ...flags, uuid]);
    const child = spawn(program, words, { stdio: ["ignore", out, out], detached: true });
    closeSync(out);
    const started = new StartedPod(
      child,
      join(this.root, `${uuid}.out`),
      join(this.dataDir, "pods/run", uuid),
    );
    this.keep(started);
    await started.hasProcess();
    return started;
  }

  /** Runs rkt. @param before words of another program that runs it */
  run(
    words: readonly string[],
    folder = "manifests",
    before: readonly string[] = [],
  ): Promise<RktResult> {
    const [program, ...rest] = [...before, ...this.#command(words)];
    const child = spawn(program ?? "", rest, {
      cwd: join(this.root, folder),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        said[name] += text;
      });
    }
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        resolve({ exitCode: code ?? (signal === "SIGKILL" ? 137 : 143), ...said });
      });
    });
  }

  /** Runs rkt, which must succeed. */
  async must(words: readonly string[]): Promise<RktResult> {
    const result = await this.run(words);
    if (result.exitCode === 0) return result;
    throw new Error(`rkt ${words.join(" ")} ended with ${result.exitCode}: ${result.stderr}`);
  }

  #command(words: readonly string[]): [string, ...string[]] {
    const { dataDir, root } = this;
    const flags = [
      `--dir=${dataDir}`,
      `--local-config=${root}/etc/local`,
      `--system-config=${root}/etc/system`,
    ];
    return [this.#program, ...flags, ...words];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#kept.reverse()) await resource[Symbol.asyncDispose]();
    // the real rkt mounts in the namespace of whoever runs it, until a pod is removed; its mounts of
    // /dev and /sys are of one group with the host's own, which would go with them
    for (const path of this.#mounts()) spawnSync("mount", ["--make-private", path]);
    for (const path of this.#mounts().toReversed()) spawnSync("umount", ["-l", path]);
    const [left] = this.#mounts();
    // the host's own /dev may be behind it
    if (left !== undefined) throw new Error(`${left} is still mounted`);
    rmSync(this.root, { recursive: true });
  }

  #mounts(): readonly string[] {
    return readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "")
      .filter((path) => path.startsWith(`${this.root}/`));
  }
}

/** A pod that runs under this test. */
export class StartedPod implements AsyncDisposable {
  readonly #child: ReturnType<typeof spawn>;
  readonly #output: string;
  readonly #folder: string;
  readonly exitCode: Promise<number>;

  constructor(child: ReturnType<typeof spawn>, output: string, folder: string) {
    this.#child = child;
    this.#output = output;
    this.#folder = folder;
    this.exitCode = new Promise((resolve) => {
      child.on("exit", (code, signal) =>
        resolve(code ?? (signal === "SIGKILL" ? 137 : signal === "SIGHUP" ? 129 : 143)),
      );
    });
  }

  /** The supervisor's process, which is the one that was started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All that came out of it yet. */
  get output(): string {
    return readFileSync(this.#output, "utf8");
  }

  async hasProcess(): Promise<void> {
    for (;;) {
      for (const name of ["pid", "ppid"]) {
        try {
          if (readFileSync(join(this.#folder, name), "utf8") !== "") return;
        } catch {
          // not yet
        }
      }
      if (this.#child.exitCode !== null)
        throw new Error(`${basename(this.#folder)} ended: ${this.output}`);
      await delay(10);
    }
  }

  /** Waits until a text comes out of it. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) await delay(10);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const children = readTree(this.pid);
    for (const pid of [...children, this.pid]) kill(pid);
    await this.exitCode;
  }
}

function readTree(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number);
    return [...children.flatMap(readTree), ...children];
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended
  }
}
