import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { RktLayout } from "../../../src/engines/rkt/layout.ts";
import { type EngineLab, plainNames, type Traces } from "./engine-lab.ts";
import { countIn, mountsNaming, processesNaming } from "./look-around.ts";

/** An rkt whose data lies in a folder; Stowage's own state for it lies in `stateDir`. */
export class RktLab implements EngineLab {
  readonly kind = "rkt";
  readonly config;
  readonly #folder: string;
  readonly #scope: string;

  constructor(program: string, folder: string, stateDir: string) {
    this.#folder = folder;
    this.#scope = new RktLayout({ stateDir, runDir: "" }, "").scope;
    const config = join(folder, "config");
    const dir = join(folder, "data");
    this.config = {
      kind: this.kind,
      program,
      dir,
      localConfig: config,
      systemConfig: config,
    } as const;
  }

  /** rkt's own view, from outside. @returns its stdout */
  rkt(...args: readonly string[]): string {
    const { program, dir, localConfig, systemConfig } = this.config;
    const flags = [
      `--dir=${dir}`,
      `--local-config=${localConfig}`,
      `--system-config=${systemConfig}`,
    ];
    const { stdout, stderr, status } = spawnSync(program, [...flags, ...args], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`rkt ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async traces(): Promise<Traces> {
    const { dir } = this.config;
    if (!existsSync(dir)) return { used: [] };
    const list = <T>(...args: readonly string[]) =>
      (JSON.parse(this.rkt(...args, "--format=json")) ?? []) as readonly T[];
    const pods = list<{ app_names: readonly string[] }>("list");
    const images = list<{ name: string }>("image", "list");
    const folders = ["prepare", "prepared", "run", "exited-garbage", "garbage", "embryo"];
    return {
      // not its state: rkt holds it for exited once the process closes a file that it inherited
      pods: plainNames(pods.map(({ app_names }) => app_names.join(","))),
      folders: folders.flatMap((name) =>
        countIn(join(dir, "pods", name)).map((count) => `${name}: ${count}`),
      ),
      images: images.map(({ name }) => name).sort(),
      trees: countIn(join(dir, "cas/tree")),
      cgroups: plainNames(this.#cgroups().map((path) => path.split("/").at(-1) ?? "")),
      processes: [`${processesNaming(`${this.#folder}/`).length}`],
      mounts: [`${mountsNaming(`${this.#folder}/`).length}`],
    };
  }

  async close(): Promise<void> {
    for (const root of this.#roots()) spawnSync("rmdir", [root]);
    // what the real rkt mounts there is the host's own /dev
    const [left] = mountsNaming(`${this.#folder}/`);
    if (left !== undefined) throw new Error(`${left} is still mounted`);
  }

  /** The cgroups of the containers, without the folder of all. */
  #cgroups(): readonly string[] {
    return this.#roots().flatMap((root) =>
      readdirSync(root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(root, entry.name)),
    );
  }

  #roots(): readonly string[] {
    return ["cpu", "cpuset", "memory", "pids", "."]
      .map((each) => `/sys/fs/cgroup/${each}/${this.#scope}`)
      .filter((root) => existsSync(root));
  }
}
