import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StowageError } from "../../src/errors/index.ts";
import { openLocalHost } from "../../src/host/index.ts";
import { mapLimited } from "../../src/internal/index.ts";
import { objectName } from "../../src/model/index.ts";
import { Networks } from "../../src/network/networks.ts";
import { NetworkPlaces } from "../../src/network/places.ts";
import { mountsNaming } from "../../test/support/engines/look-around.ts";
import { NetworkMachine } from "../../test/support/network-machine.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult } from "../lib/benchmark.ts";
import { CNI_LOOP } from "../lib/cni-loop.ts";
import { measurePairs, median, medianRatio, type Pair } from "../lib/statistics.ts";

const PODS = 100;
const AT_ONCE = 8;
const RATIO_MAX = 1;

/** Networks of Stowage's, against the plugins that others make theirs with. */
export const networkPods: Benchmark = {
  name: "network-pods",
  title: `networks of ${PODS} pods with a port each, against the CNI plugins bridge, portmap, firewall`,
  whyNot: () => {
    if (process.getuid?.() !== 0) return "it needs root";
    return existsSync("/usr/lib/cni/portmap")
      ? undefined
      : "there are no CNI plugins in /usr/lib/cni";
  },
  run: measure,
};

async function measure(context: BenchmarkContext): Promise<BenchmarkResult> {
  const pods = Math.ceil(PODS / context.divisor);
  const [ups, downs]: [Pair[], Pair[]] = [[], []];
  for (let round = 0; round < context.pairs; round += 1) {
    const [ours, theirs] = [new Ours(pods), new Theirs(pods)];
    try {
      ups.push(
        ...(await measurePairs(
          1,
          () => ours.up(),
          () => theirs.up(),
        )),
      );
      downs.push(
        ...(await measurePairs(
          1,
          () => ours.down(),
          () => theirs.down(),
        )),
      );
    } finally {
      ours.close();
      theirs.close();
    }
    context.log(`round ${round + 1} of ${context.pairs}`);
  }
  const ms = (name: string, pairs: readonly Pair[], key: keyof Pair) => ({
    name: `${name}, each`,
    value: median(pairs.map((pair) => pair[key])) / pods,
    unit: "ms" as const,
  });
  return {
    figures: [
      { name: "set up / plugins", value: medianRatio(ups), unit: "x", atMost: RATIO_MAX },
      { name: "take away / plugins", value: medianRatio(downs), unit: "x", atMost: RATIO_MAX },
      ms("set up", ups, "oursMs"),
      ms("plugins ADD", ups, "theirsMs"),
      ms("take away", downs, "oursMs"),
      ms("plugins DEL", downs, "theirsMs"),
    ],
    notes: [
      `${pods} pods on one bridge, ${AT_ONCE} at a time, in a network namespace of their own.`,
    ],
  };
}

/** As prepare and start, stop and remove do it. */
class Ours {
  readonly #machine = new NetworkMachine();
  readonly #folder = mkdtempSync(join(tmpdir(), "stw-bench-"));
  readonly #pods;
  readonly #networks;

  constructor(pods: number) {
    this.#networks = new Networks({
      host: this.#machine.host(openLocalHost()),
      places: new NetworkPlaces(this.#folder),
      engine: "bench",
    });
    this.#pods = Array.from({ length: pods }, (_, at) => podAt(at));
  }

  async up(): Promise<number> {
    const began = performance.now();
    await mapLimited(this.#pods, AT_ONCE, async (pod) => {
      await this.#networks.hold(pod);
      await this.#networks.attach(pod, "held");
    });
    return performance.now() - began;
  }

  async down(): Promise<number> {
    const began = performance.now();
    await mapLimited(this.#pods, AT_ONCE, async ({ identity }) => {
      await this.#networks.detach(identity);
      await this.#networks.drop(objectName(identity));
    });
    const ms = performance.now() - began;
    requireNothing(this.#machine.traces());
    return ms;
  }

  close(): void {
    this.#machine.close();
    removeFolder(this.#folder);
  }
}

class Theirs {
  readonly #machine = new NetworkMachine();
  readonly #folder = mkdtempSync(join(tmpdir(), "stw-bench-"));
  readonly #pods: number;

  constructor(pods: number) {
    this.#pods = pods;
  }

  async up(): Promise<number> {
    return this.#loop("ADD");
  }

  async down(): Promise<number> {
    return this.#loop("DEL");
  }

  close(): void {
    this.#machine.close();
    removeFolder(this.#folder);
  }

  #loop(what: string): number {
    const began = performance.now();
    const command = ["sh", "-c", CNI_LOOP, "sh", this.#folder, String(this.#pods), what];
    const { status, stderr } = this.#machine.spawn(command);
    if (status === 0) return performance.now() - began;
    throw new StowageError(`Cannot measure: the plugins failed: ${stderr.slice(-300)}`, {
      code: "internal",
    });
  }
}

/** What a round that failed has mounted in it goes first. */
function removeFolder(folder: string): void {
  for (const path of mountsNaming(`${folder}/`)) spawnSync("umount", [path]);
  rmSync(folder, { recursive: true, force: true });
}

function podAt(at: number) {
  return {
    identity: { owner: "me", fleet: "bench", host: "here", pod: `pod-${at}`, generation: 1 },
    spec: {
      containers: { main: { image: "x:1" } },
      network: { mode: "bridge", name: "front" } as const,
      ports: [{ host: 20_000 + at, container: 8080 }],
    },
    images: {},
    recordDigest: "",
    volumeDirs: {},
  };
}

function requireNothing(traces: readonly string[]): void {
  if (traces.length === 0) return;
  throw new StowageError(`Cannot measure: there is left ${traces.slice(0, 3).join(", ")}`, {
    code: "internal",
  });
}
