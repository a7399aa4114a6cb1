import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "./run.ts";

/** A port of no service: an answer of any kind is one. */
const DISCARD_PORT = 9;
const PATIENCE_MS = 60_000;

/** The wire between a host and the machine; what is done to it is undone by {@link Link.mend}. */
export class Link {
  readonly #name: string;
  readonly #address: string;
  readonly #inside: (script: string) => Promise<string>;

  /**
   * @param name interface of the machine's end
   * @param address of the host's end
   * @param inside runs a script of the shell in the host
   */
  constructor(name: string, address: string, inside: (script: string) => Promise<string>) {
    this.#name = name;
    this.#address = address;
    this.#inside = inside;
  }

  /** Nothing comes through any more, and nobody is told. */
  async cut(): Promise<void> {
    await run("ip", ["link", "set", this.#name, "down"]);
  }

  /** As it was at first, and the host answers. */
  async mend(): Promise<void> {
    await run("ip", ["link", "set", this.#name, "up"]);
    await this.untilItAnswers();
    // where there is none, there is nothing to take away
    await run("tc", ["qdisc", "del", "dev", this.#name, "root"]).catch(() => undefined);
    await this.#inside("while iptables -D INPUT -j stw-lossy; do :; done 2>/dev/null || :");
  }

  /** A wire that was just plugged in takes its moment. */
  async untilItAnswers(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await answers(this.#address))) {
      if (performance.now() > deadline) throw new Error(`${this.#address} does not answer`);
      await delay(20);
    }
  }

  /** What goes to the host comes no faster. @param rate as tc(8) writes it: `10mbit` */
  async slow(rate: string): Promise<void> {
    await this.#queue("tbf", "rate", rate, "burst", "32k", "latency", "200ms");
  }

  /** What goes to the host comes later. @throws where the kernel has no netem */
  async delay(ms: number): Promise<void> {
    await this.#queue("netem", "delay", `${ms}ms`);
  }

  /** Of what goes to the host, one packet in so many is lost. */
  async lose(oneIn: number): Promise<void> {
    await this.#inside(`iptables -N stw-lossy 2>/dev/null || iptables -F stw-lossy
iptables -A stw-lossy -i eth0 -m statistic --mode random --probability ${1 / oneIn} -j DROP
iptables -I INPUT -j stw-lossy`);
  }

  async #queue(...discipline: readonly string[]): Promise<void> {
    await run("tc", ["qdisc", "replace", "dev", this.#name, "root", ...discipline]);
  }
}

/** Whether a host is at an address: it refuses what it does not serve. */
async function answers(address: string): Promise<boolean> {
  const socket = connect({ host: address, port: DISCARD_PORT, timeout: 1_000 });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("timeout", () => resolve(false));
      socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED"));
    });
  } finally {
    socket.destroy();
  }
}
