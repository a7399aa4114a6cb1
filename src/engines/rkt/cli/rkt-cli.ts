import type { CommandResult, Host } from "../../../host/index.ts";
import { type ListedImage, parseImageId, parseImageList, parseUuid } from "./parse-output.ts";
import { commandError, nothingDone, notRun } from "./rkt-error.ts";

/** How to call rkt. */
export interface RktCliOptions {
  readonly program?: string | undefined;
  readonly dir: string;
  readonly localConfig?: string | undefined;
  readonly systemConfig?: string | undefined;
  readonly stage1: string;
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** It runs to its end when the connection to the host goes. */
  readonly outlives?: boolean;
}

/** Time after which a command that only looks is given up. */
const LOOK_MS = 30_000;
/** The same for one that makes something: the first prepare of a store renders its stage1. */
const MAKE_MS = 300_000;

/** Several commands run at once: to a Go program that lasts for moments, a second thread is a tenth more to do. */
export const RKT_ENV = { GOMAXPROCS: "1" };

/** rkt's command line. Subcommands are spelt in full: rkt also takes prefixes of them. */
export class RktCli {
  readonly #host: Host;
  readonly #options: RktCliOptions;
  #stage1Flag: Promise<string> | undefined;

  constructor(host: Host, options: RktCliOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** A whole command line. */
  command(...args: readonly string[]): readonly string[] {
    const { dir, localConfig, systemConfig } = this.#options;
    return [
      this.program,
      `--dir=${dir}`,
      ...(localConfig === undefined ? [] : [`--local-config=${localConfig}`]),
      ...(systemConfig === undefined ? [] : [`--system-config=${systemConfig}`]),
      ...args,
    ];
  }

  get program(): string {
    return this.#options.program ?? "rkt";
  }

  /** What rkt says of its version; asks nothing of its data directory. */
  async version(signal?: AbortSignal): Promise<string> {
    const doing = "ask rkt for its version";
    return (await this.#run([this.program, "version"], doing, LOOK_MS, { signal })).stdout;
  }

  async listImages(signal?: AbortSignal): Promise<readonly ListedImage[]> {
    const { stdout } = await this.#run(
      this.command("image", "list", "--format=json"),
      "list images of rkt",
      LOOK_MS,
      { signal },
    );
    const images = parseImageList(stdout);
    const { stage1 } = this.#options;
    // once there, it stays as long as nobody takes it away: a prepare that fails asks again
    if (images.some(({ name }) => name === stage1))
      this.#stage1Flag ??= Promise.resolve(`--stage1-name=${stage1}`);
    return images;
  }

  /** Brings an ACI file into the store, where it is looked for then. @returns its id, whole */
  async fetch(file: string, signal?: AbortSignal): Promise<string> {
    const command = this.command("--insecure-options=image", "fetch", "--full", file);
    const { stdout } = await this.#run(command, "import an image into rkt", MAKE_MS, { signal });
    const id = parseImageId(stdout);
    if ((await this.listImages(signal)).some((image) => image.id === id)) return id;
    throw nothingDone("import an image into rkt", "fetch", `image "${id}" is not in its store`);
  }

  /** Removes an image; absent: nothing happens, and rkt says so with success. */
  async removeImage(id: string): Promise<void> {
    const doing = `remove image "${id}" of rkt`;
    await this.#run(this.command("image", "rm", id), doing, MAKE_MS);
    if ((await this.listImages()).some((image) => image.id === id))
      throw nothingDone(doing, "image rm", "the image is in its store still");
  }

  /** Prepares a pod from a manifest. It is never interrupted: that would leave a part of a pod. @returns its UUID */
  async prepare(manifestFile: string): Promise<string> {
    this.#stage1Flag ??= this.#findStage1();
    try {
      const stage1 = await this.#stage1Flag;
      const command = this.command("prepare", "--quiet", stage1, `--pod-manifest=${manifestFile}`);
      const doing = "prepare a pod of rkt";
      const { stdout } = await this.#run(command, doing, MAKE_MS, { outlives: true });
      const uuid = parseUuid(stdout);
      if (!(await this.#isPrepared(uuid)))
        throw nothingDone(doing, "prepare", `there is no pod "${uuid}"`);
      // it is in the store now
      this.#stage1Flag = Promise.resolve(`--stage1-name=${this.#options.stage1}`);
      return uuid;
    } catch (error) {
      this.#stage1Flag = undefined;
      throw error;
    }
  }

  /**
   * By name where the store has it: rkt looks for any other name on the network. Else from the directory of
   * stage1 images that rkt was installed with, which it trusts.
   */
  async #findStage1(): Promise<string> {
    const { stage1, dir } = this.#options;
    const { existing } = await this.#host.snapshot({ exist: [`${dir}/cas/db`] });
    const images = existing.size === 0 ? [] : await this.listImages();
    if (images.some(({ name }) => name === stage1)) return `--stage1-name=${stage1}`;
    return `--stage1-from-dir=${/stage1-[a-z]+/.exec(stage1)?.[0]}.aci`;
  }

  async #isPrepared(uuid: string): Promise<boolean> {
    const file = `${this.#options.dir}/pods/prepared/${uuid}/pod`;
    const { existing } = await this.#host.snapshot({ exist: [file] });
    return existing.has(file);
  }

  /**
   * Removes pods that do not run, with all that rkt holds of them; absent ones are left out. What is on
   * disk afterwards decides: rkt has one status for all failures, those of pods that are gone as well.
   */
  async removePods(uuids: readonly string[]): Promise<void> {
    if (uuids.length === 0) return;
    const doing = "remove a pod of rkt";
    const result = await this.#call(this.command("rm", ...uuids), doing, MAKE_MS);
    const folders = uuids.flatMap((uuid) =>
      PHASES_LEFT.map((phase) => `${this.#options.dir}/pods/${phase}/${uuid}`),
    );
    const { existing } = await this.#host.snapshot({ exist: folders });
    const [left] = existing;
    if (left === undefined) return;
    const uuid = left.split("/").at(-1) ?? "";
    if (result.exitCode === 0) throw nothingDone(doing, "rm", `pod "${uuid}" is there still`);
    const about = result.stderr.split("\n").filter((line) => !GONE.test(line));
    throw commandError(doing, { ...result, stderr: about.join("\n") });
  }

  async #run(
    command: readonly string[],
    doing: string,
    timeoutMs: number,
    options: CallOptions = {},
  ): Promise<CommandResult> {
    const result = await this.#call(command, doing, timeoutMs, options);
    if (result.exitCode === 0) return result;
    throw commandError(doing, result);
  }

  async #call(
    command: readonly string[],
    doing: string,
    timeoutMs: number,
    { signal, outlives = false }: CallOptions = {},
  ): Promise<CommandResult> {
    try {
      return await this.#host.run(command, {
        timeoutMs,
        outlives,
        env: RKT_ENV,
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw notRun(doing, command, error);
    }
  }
}

/** Folders of rkt's in which a pod is there: in any other it is being removed. */
const PHASES_LEFT = ["prepare", "prepared", "run", "exited-garbage"] as const;

/** What rkt's `rm` says of pods that are gone, and at the end of every failure. */
const GONE = /no matches found|failed to remove one or more pods/;
