import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { WatchEvent } from "../../src/reconcile/index.ts";

const WAIT_MS = 60_000;

/** A `stowage watch` in a process of its own; dispose it to end that, whatever it does. */
export class WatchProcess implements AsyncDisposable {
  readonly events: WatchEvent[] = [];
  readonly #child: ChildProcess;
  #stderr = "";

  constructor(cli: string, ...args: readonly string[]) {
    this.#child = spawn(process.execPath, [cli, "watch", "--json", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) =>
      this.events.push(JSON.parse(line) as WatchEvent),
    );
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  of<T extends WatchEvent["type"]>(type: T): readonly Extract<WatchEvent, { type: T }>[] {
    return this.events.filter(
      (event): event is Extract<WatchEvent, { type: T }> => event.type === type,
    );
  }

  /** Waits for an event. */
  async told<T extends WatchEvent["type"]>(
    type: T,
    isWanted: (event: Extract<WatchEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<WatchEvent, { type: T }>> {
    return await this.until(async () => this.of(type).find(isWanted));
  }

  async until<T>(ask: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      const last = JSON.stringify(this.events.slice(-10));
      if (Date.now() > deadline) throw new Error(`It did not happen: ${last} ${this.#stderr}`);
      await delay(20);
    }
  }

  /** Asks its metrics server. */
  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const port = await this.until(async () => /127\.0\.0\.1:(\d+)/.exec(this.#stderr)?.[1]);
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  /** Ends it as systemd would. @returns its exit code */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    const [exitCode] = (await once(this.#child, "close")) as [number | null];
    return exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "close");
  }
}
