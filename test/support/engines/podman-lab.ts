import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type EngineLab, plainNames, type Traces } from "./engine-lab.ts";
import { countIn, mountsNaming, processesNaming } from "./look-around.ts";

/** A podman whose store lies in a folder. */
export class PodmanLab implements EngineLab {
  readonly kind = "podman";
  readonly config;
  readonly #folder: string;

  constructor(program: string, folder: string) {
    this.#folder = folder;
    const [root, runRoot, tmpDir] = [
      join(folder, "root"),
      join(folder, "run"),
      join(folder, "tmp"),
    ];
    this.config = { kind: this.kind, program, root, runRoot, tmpDir } as const;
  }

  /** podman's own view, from outside. @returns its stdout */
  podman(...args: readonly string[]): string {
    const { program, root, runRoot, tmpDir } = this.config;
    const flags = ["--root", root, "--runroot", runRoot, "--tmpdir", tmpDir];
    const { stdout, stderr, status } = spawnSync(program, [...flags, ...args], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], PODMAN_IGNORE_CGROUPSV1_WARNING: "1" },
    });
    if (status !== 0) throw new Error(`podman ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** Asking a store that was never used would make it. */
  get wasUsed(): boolean {
    const names = ["libpod/bolt_state.db", "db.sql"];
    return names.some((name) => existsSync(join(this.config.root, name)));
  }

  async traces(): Promise<Traces> {
    if (!this.wasUsed) return { used: [] };
    const list = (...args: readonly string[]) =>
      plainNames(
        this.podman(...args)
          .split("\n")
          .filter(Boolean),
      );
    const listed = this.podman("ps", "--all", "--external", "--format", "json");
    const containers = JSON.parse(listed) as readonly {
      Names?: readonly string[];
      State: string;
    }[];
    const { root, runRoot } = this.config;
    const running = await this.settled();
    return {
      containers: plainNames(
        containers.map(({ Names, State }) => `${(Names ?? []).join(",")} ${State}`),
      ),
      pods: list("pod", "ps", "--format", "{{.Name}}"),
      volumes: list("volume", "ls", "--quiet"),
      // the image of a podman pod's own container stays, as podman leaves it
      images: list("images", "--format", "{{.Repository}}:{{.Tag}}").filter(
        (name) => !name.startsWith("localhost/podman-pause:"),
      ),
      monitors: plainNames(running.map((argv) => / -n (\S+)/.exec(argv)?.[1] ?? argv)),
      layers: countIn(join(root, "overlay")),
      stored: countIn(join(root, "overlay-containers")),
      run: countIn(join(runRoot, "overlay-containers")),
      mounts: [`${mountsNaming(`${this.#folder}/`).length}`],
    };
  }

  async close(): Promise<void> {
    if (this.wasUsed) {
      for (const pod of this.podman("pod", "ps", "--quiet", "--no-trunc")
        .split("\n")
        .filter(Boolean))
        this.podman("pod", "rm", "--force", "--time", "0", pod);
      const all = this.podman("ps", "--all", "--external", "--quiet", "--no-trunc").split("\n");
      for (const id of all.filter(Boolean))
        this.podman("rm", "--force", "--volumes", "--time", "0", id);
    }
    await this.settled();
    for (const mount of mountsNaming(`${this.#folder}/`).toReversed()) spawnSync("umount", [mount]);
  }

  /** Programs of podman's that still work on the store, once those that are about to end have ended. */
  async settled(): Promise<readonly string[]> {
    for (let tries = 0; ; tries += 1) {
      const running = processesNaming(`${this.#folder}/`);
      const passing = running.filter((argv) => argv.includes("container cleanup"));
      if (passing.length === 0 || tries === 100) return running;
      await delay(50);
    }
  }
}
