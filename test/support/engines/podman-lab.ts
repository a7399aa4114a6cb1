import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type PrivatePodman,
  privatePodman,
  processesOf,
} from "../../../scripts/lib/private-podman.ts";
import { type EngineLab, plainNames, type Traces } from "./engine-lab.ts";
import { countIn, mountsNaming } from "./look-around.ts";

/** A podman whose store lies in a folder. */
export class PodmanLab implements EngineLab {
  readonly kind = "podman";
  readonly #folder: string;
  readonly #podman: PrivatePodman;

  constructor(program: string, folder: string) {
    this.#folder = folder;
    this.#podman = privatePodman(folder, program);
  }

  get config() {
    return this.#podman.config;
  }

  async traces(): Promise<Traces> {
    const { config, run, wasUsed } = this.#podman;
    if (!wasUsed()) return { used: [] };
    const list = (...args: readonly string[]) =>
      plainNames(
        run(...args)
          .split("\n")
          .filter(Boolean),
      );
    const listed = run("ps", "--all", "--external", "--format", "json");
    const containers = JSON.parse(listed) as readonly {
      Names?: readonly string[];
      State: string;
    }[];
    const running = await this.#settled();
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
      layers: countIn(join(config.root, "overlay")),
      stored: countIn(join(config.root, "overlay-containers")),
      run: countIn(join(config.runRoot, "overlay-containers")),
      mounts: [`${mountsNaming(`${this.#folder}/`).length}`],
    };
  }

  async close(): Promise<void> {
    this.#podman.remove();
  }

  /** Programs of podman's that still work on the store, once those that are about to end have ended. */
  async #settled(): Promise<readonly string[]> {
    for (let tries = 0; ; tries += 1) {
      const running = processesOf(`${this.#folder}/`);
      if (tries === 100 || !running.some((line) => line.includes("container cleanup")))
        return running;
      await delay(50);
    }
  }
}
