import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { ContainerdFleet } from "./containerd-fleet.ts";

/** What containerd tells of all that is written to it, read by `ctr events`. */
export class EngineEvents implements AsyncDisposable {
  readonly #fleet: ContainerdFleet;
  readonly #child: ChildProcess;
  #text = "";
  #marks = 0;

  private constructor(fleet: ContainerdFleet) {
    this.#fleet = fleet;
    const { socket } = fleet.host.engine;
    this.#child = spawn("ctr", ["-a", socket, "events"], { stdio: ["ignore", "pipe", "inherit"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
    });
  }

  /** Begins to listen; what is written from now on is heard. */
  static async open(fleet: ContainerdFleet): Promise<EngineEvents> {
    const events = new EngineEvents(fleet);
    await events.#mark();
    return events;
  }

  /** What was written to the fleet's namespace since the last time, a line each. */
  async take(): Promise<readonly string[]> {
    await this.#mark();
    const lines = this.#text.split("\n").filter((line) => line.includes(this.#fleet.namespace));
    this.#text = "";
    return lines.filter((line) => !line.includes(`mark-of-${this.#fleet.namespace}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await once(this.#child, "close");
  }

  /** Writes something harmless and waits until it is heard: all before it is heard then as well. */
  async #mark(): Promise<void> {
    for (;;) {
      this.#marks += 1;
      const name = `mark-of-${this.#fleet.namespace}-${this.#marks}`;
      this.#fleet.ctr("namespaces", "create", name);
      this.#fleet.ctr("namespaces", "rm", name);
      for (let tries = 0; tries < 20 && !this.#text.includes(name); tries += 1) await delay(10);
      if (this.#text.includes(name)) return;
    }
  }
}
