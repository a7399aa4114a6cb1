import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../src/errors/index.ts";

const INTERVAL_MS = 50;
const GIVE_UP_MS = 30_000;

/** Asks for a page on each of several ports, 20 times a second, and notes when it was answered. */
export class PageWatch {
  readonly #stop = new AbortController();
  readonly #answers: ReadonlyMap<number, number[]>;
  readonly #ended: Promise<unknown>;

  private constructor(ports: readonly number[]) {
    this.#answers = new Map(ports.map((port) => [port, []]));
    this.#ended = Promise.all(ports.map((port) => this.#watch(port)));
  }

  /** Returns when every port has answered. */
  static async start(ports: readonly number[]): Promise<PageWatch> {
    const watch = new PageWatch(ports);
    await watch.#answered();
    return watch;
  }

  /** Waits for one more answer of each. @returns the longest time between two answers, in milliseconds, of each port */
  async end(): Promise<readonly number[]> {
    await this.#answered();
    this.#stop.abort();
    await this.#ended;
    return [...this.#answers.values()].map((times) =>
      Math.max(...times.slice(1).map((time, at) => time - (times[at] ?? time))),
    );
  }

  async #answered(): Promise<void> {
    const began = performance.now();
    while (![...this.#answers.values()].every((times) => (times.at(-1) ?? 0) > began)) {
      if (performance.now() - began > GIVE_UP_MS) {
        this.#stop.abort();
        throw new StowageError("Cannot measure: a page does not answer", { code: "unavailable" });
      }
      await delay(INTERVAL_MS);
    }
  }

  async #watch(port: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const next = delay(INTERVAL_MS);
      if (await isAnswered(port)) this.#answers.get(port)?.push(performance.now());
      await next;
    }
  }
}

function isAnswered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ port, host: "127.0.0.1", agent: false, timeout: 1000 }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer.statusCode === 200));
      answer.once("error", () => resolve(false));
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(false));
    asked.end();
  });
}
