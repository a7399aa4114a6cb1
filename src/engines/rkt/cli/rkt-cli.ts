import { StowageError } from "../../../errors/index.ts";
import type { CommandResult, Host } from "../../../host/index.ts";
import { type ListedImage, parseImageId, parseImageList, parseUuid } from "./parse-output.ts";

/** How to call rkt. */
export interface RktCliOptions {
  readonly program?: string | undefined;
  readonly dir: string;
  readonly localConfig?: string | undefined;
  readonly systemConfig?: string | undefined;
  readonly stage1: string;
}

/** Time after which a command that only looks is given up. */
const LOOK_MS = 30_000;
/** The same for one that makes something: the first prepare of a store renders its stage1. */
const MAKE_MS = 300_000;

/** rkt's command line. Subcommands are spelt in full: rkt also takes prefixes of them. */
export class RktCli {
  readonly #host: Host;
  readonly #options: RktCliOptions;
  #stage1Flag: Promise<string> | undefined;
  #version: CommandResult | undefined;

  constructor(host: Host, options: RktCliOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** A whole command line. */
  command(...args: readonly string[]): readonly string[] {
    const { program = "rkt", dir, localConfig, systemConfig } = this.#options;
    return [
      program,
      `--dir=${dir}`,
      ...(localConfig === undefined ? [] : [`--local-config=${localConfig}`]),
      ...(systemConfig === undefined ? [] : [`--system-config=${systemConfig}`]),
      ...args,
    ];
  }

  /** rkt's own version; asks nothing of its data directory. Asked once. */
  async version(signal?: AbortSignal): Promise<CommandResult> {
    const { program = "rkt" } = this.#options;
    const doing = "ask rkt for its version";
    this.#version ??= await this.#run([program, "version"], doing, LOOK_MS, signal);
    return this.#version;
  }

  async listImages(signal?: AbortSignal): Promise<readonly ListedImage[]> {
    const { stdout } = await this.#run(
      this.command("image", "list", "--format=json"),
      "list images of rkt",
      LOOK_MS,
      signal,
    );
    const images = parseImageList(stdout);
    const { stage1 } = this.#options;
    // once there, it stays as long as nobody takes it away: a prepare that fails asks anew
    if (images.some(({ name }) => name === stage1))
      this.#stage1Flag ??= Promise.resolve(`--stage1-name=${stage1}`);
    return images;
  }

  /** Brings an ACI file into the store. @returns its id, whole */
  async fetch(file: string, signal?: AbortSignal): Promise<string> {
    const command = this.command("--insecure-options=image", "fetch", "--full", file);
    const { stdout } = await this.#run(command, "import an image into rkt", MAKE_MS, signal);
    return parseImageId(stdout);
  }

  /** Removes an image; absent: nothing happens, and rkt says so with success. */
  async removeImage(id: string): Promise<void> {
    await this.#run(this.command("image", "rm", id), `remove image "${id}" of rkt`, MAKE_MS);
  }

  /** Prepares a pod from a manifest. It is never cut short: that would leave a part of a pod. @returns its UUID */
  async prepare(manifestFile: string): Promise<string> {
    this.#stage1Flag ??= this.#findStage1();
    try {
      const stage1 = await this.#stage1Flag;
      const command = this.command("prepare", "--quiet", stage1, `--pod-manifest=${manifestFile}`);
      const { stdout } = await this.#run(command, "prepare a pod of rkt", MAKE_MS);
      // it is in the store now
      this.#stage1Flag = Promise.resolve(`--stage1-name=${this.#options.stage1}`);
      return parseUuid(stdout);
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

  /** Removes pods that do not run, with all that rkt holds of them; absent ones are left out. */
  async removePods(uuids: readonly string[]): Promise<void> {
    if (uuids.length === 0) return;
    const result = await this.#host.run(this.command("rm", ...uuids), { timeoutMs: MAKE_MS });
    const failures = result.stderr
      .split("\n")
      .filter((line) => /^rm: .*(currently|failed|cannot|error|unable)/.test(line))
      .filter((line) => !/no matches found|failed to remove one or more pods/.test(line));
    if (result.exitCode !== 0 && failures.length > 0)
      throw commandError("remove a pod of rkt", { ...result, stderr: failures.join("\n") });
  }

  async #run(
    command: readonly string[],
    doing: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<CommandResult> {
    const options = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
    let result: CommandResult;
    try {
      result = await this.#host.run(command, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!StowageError.is(error, "not_found")) throw error;
      throw new StowageError(
        `Cannot ${doing}: there is no program "${command[0]}" on the host; install rkt, or name its program in the engine's declaration`,
        { code: "unavailable", cause: error },
      );
    }
    if (result.exitCode === 0) return result;
    throw commandError(doing, result);
  }
}

/** rkt has texts only, and one exit code for all errors. */
const CODES: readonly (readonly [RegExp, StowageError["code"], string])[] = [
  [/cannot run as unprivileged user|permission denied/, "permission_denied", "run as root"],
  [
    /no image IDs found|cannot find aci|error getting the image manifest/,
    "not_found",
    "import the image again",
  ],
  [/no space left on device/, "resource_exhausted", "make room on the host"],
  [/cannot get configuration/, "failed_precondition", "mend rkt's configuration files"],
  [
    /stage1|discovery failed/,
    "failed_precondition",
    "install the stage1 image that the engine's declaration names, or name one that is installed",
  ],
];

/** An error of a command that failed, with what rkt says of it; never its output, which may hold anything. */
export function commandError(doing: string, { exitCode, stderr }: CommandResult): StowageError {
  const said = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith('prepare: group "rkt"'))
    .slice(-3)
    .join("; ")
    .slice(0, 500);
  const [, code, remedy] = CODES.find(([pattern]) => pattern.test(said)) ?? [
    undefined,
    "failed_precondition" as const,
    "see rkt's own message",
  ];
  const state = said === "" ? `rkt ended with status ${exitCode} and said nothing` : said;
  return new StowageError(`Cannot ${doing}: ${state}; ${remedy}`, {
    code: exitCode > 128 && exitCode < 160 ? "aborted" : code,
    context: { exitCode },
  });
}
