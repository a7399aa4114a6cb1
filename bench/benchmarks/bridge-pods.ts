import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { whyNoPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import { NetworkMachine } from "../../test/support/network-machine.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult } from "../lib/benchmark.ts";
import { writeBridgeFleet } from "../lib/bridge-fleet.ts";
import { CNI_LOOP } from "../lib/cni-loop.ts";
import { openContainerdLab } from "../lib/containerd-lab.ts";
import { openCtrPods } from "../lib/ctr-pods.ts";
import { median, medianRatio, type Pair } from "../lib/statistics.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const PODS = 100;
const RATIO_MAX = 1.1;

/** Pods on a bridge, against the plugins that others make networks with and containerd's own command line. */
export const bridgePods: Benchmark = {
  name: "bridge-pods",
  title: `apply and destroy of ${PODS} pods on a bridge with a port each, against the CNI plugins and xargs -P8 ctr run -d`,
  whyNot: () =>
    whyNoPrivateContainerd() ??
    (existsSync("/usr/lib/cni/portmap") ? undefined : "there are no CNI plugins in /usr/lib/cni"),
  run: measure,
};

async function measure({
  pairs,
  divisor,
  signal,
  log,
}: BenchmarkContext): Promise<BenchmarkResult> {
  const pods = Math.ceil(PODS / divisor);
  await using lab = await openContainerdLab();
  const machines = [new NetworkMachine(), new NetworkMachine()] as const;
  const run = async (machine: NetworkMachine, ...words: readonly string[]): Promise<number> => {
    const [program, ...args] = machine.inside(words);
    return await timeCommand(program, args, { signal, cwd: lab.dir });
  };
  const stowage = (word: string, manifest: string) =>
    run(machines[0], process.execPath, stowageMain(), word, "-f", manifest, "--yes");
  const folder = join(lab.dir, "cni");
  mkdirSync(folder);
  const plugins = (what: string) =>
    run(machines[1], "sh", "-c", CNI_LOOP, "sh", folder, String(pods), what);
  try {
    // a second fleet holds the image, so that it is there whenever the first is applied
    const keeper = lab.writeFleet("keeper", 1);
    await stowage("apply", keeper);
    const ctr = await openCtrPods(lab, pods, signal, (at) => join(folder, `ns${at + 1}`));
    const manifest = writeBridgeFleet(lab, "many", pods);
    const [ups, downs]: [Pair[], Pair[]] = [[], []];
    for (let round = 0; round < pairs; round += 1) {
      const theirs = async () => (await plugins("ADD")) + (await ctr.run("logged"));
      const theirEnd = async () => (await ctr.remove()) + (await plugins("DEL"));
      const up = await measurePair(round, () => stowage("apply", manifest), theirs);
      const down = await measurePair(round, () => stowage("destroy", manifest), theirEnd);
      ups.push(up);
      downs.push(down);
      log(`round ${round + 1} of ${pairs}: ${words("up", up)}; ${words("down", down)}`);
    }
    await stowage("destroy", keeper);
    return { figures: figuresOf(ups, downs), notes: NOTES };
  } finally {
    for (const machine of machines) machine.close();
  }
}

const NOTES = [
  "Each side in a network namespace of its own. Theirs: bridge, portmap and firewall, eight pods at a time, then ctr run with these namespaces, eight at a time.",
  "Stowage also writes names for the pods of the network, and waits 0.4 s for what it started.",
];

function figuresOf(ups: readonly Pair[], downs: readonly Pair[]): BenchmarkResult["figures"] {
  const ms = (name: string, pairs: readonly Pair[], key: keyof Pair) => ({
    name,
    value: median(pairs.map((pair) => pair[key])),
    unit: "ms" as const,
  });
  return [
    { name: "apply / plugins + ctr run", value: medianRatio(ups), unit: "x", atMost: RATIO_MAX },
    { name: "destroy / ctr kill + rm + plugins", value: medianRatio(downs), unit: "x" },
    ms("apply", ups, "oursMs"),
    ms("plugins + ctr run", ups, "theirsMs"),
    ms("destroy", downs, "oursMs"),
    ms("ctr kill + rm + plugins", downs, "theirsMs"),
  ];
}

/** Each goes first in every second round. */
async function measurePair(
  round: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Pair> {
  if (round % 2 === 0) {
    const oursMs = await ours();
    return { oursMs, theirsMs: await theirs() };
  }
  const theirsMs = await theirs();
  return { oursMs: await ours(), theirsMs };
}

function words(what: string, { oursMs, theirsMs }: Pair): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  return `${what} ${seconds(oursMs)} s, theirs ${seconds(theirsMs)} s`;
}
