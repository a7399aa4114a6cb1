import { spawn } from "node:child_process";
import { once } from "node:events";
import type { TestHost } from "../../test/hosts/test-host.ts";
import { whyNoTestHosts } from "../../test/hosts/test-hosts.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult, Figure } from "../lib/benchmark.ts";
import { keptConnections, loginsOf, openSshLab, type SshLab } from "../lib/ssh-lab.ts";
import { median } from "../lib/statistics.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const HOSTS = 20;
const PODS = 10;
const COLD_MAX = 1.2;
const KEPT_MAX = 1.5;
const CONNECTIONS_MAX = 1;

/** `stowage plan` over SSH where there is nothing to do. */
export const sshPlan: Benchmark = {
  name: "ssh-plan",
  title: `plan of ${HOSTS} hosts with ${PODS} pods each over SSH, nothing to do`,
  whyNot: whyNoTestHosts,
  run: measure,
};

interface Round {
  readonly all: number;
  readonly single: number;
  readonly connects: number;
  /** What it takes at least: the same asked of the engines by bare `ssh`. */
  readonly floor: number;
}

/** What a plan has to ask of podman at least; of containerd it counts as nothing. */
const ASK = "podman ps --all --format json && podman inspect $(cat /run/bench-pods)";

async function measure({
  pairs,
  divisor,
  signal,
  log,
}: BenchmarkContext): Promise<BenchmarkResult> {
  const hosts = Math.max(2, Math.ceil(HOSTS / divisor));
  await using lab = await openSshLab({ hosts });
  const main = stowageMain();
  const whole = lab.writeFleet("fleet", { pods: PODS });
  const run = (config: string, ...words: readonly string[]) =>
    timeCommand(process.execPath, [main, ...words], {
      signal,
      env: { STOWAGE_SSH_CONFIG: config },
    });
  const applyMs = await run(lab.config, "apply", "-f", whole, "--yes");
  log(`${hosts} hosts with ${PODS} pods each applied in ${(applyMs / 1000).toFixed(1)} s`);
  const plan = (config: string, ...words: readonly string[]) =>
    run(config, "plan", "-f", whole, ...words);
  await plan(lab.config);
  const before = await Promise.all(lab.hosts.map(loginsOf));
  await plan(lab.config);
  const after = await Promise.all(lab.hosts.map(loginsOf));
  const connections = Math.max(...after.map((count, at) => count - (before[at] ?? 0)));
  await Promise.all(
    podmanHosts(lab).map((host) => host.sh("podman ps --all --quiet >/run/bench-pods")),
  );
  const cold: Round[] = [];
  for (let nth = 0; nth < pairs; nth += 1) {
    const round = {
      connects: await connectAll(lab, lab.config, signal),
      floor: await connectAll(lab, lab.config, signal, ASK),
      single: await plan(lab.config, "--host", lab.hosts[nth % hosts]?.name ?? ""),
      all: await plan(lab.config),
    };
    log(
      `cold: plan ${ms(round.all)}, ${hosts} x ssh true ${ms(round.connects)}, one host's plan ${ms(round.single)}`,
    );
    cold.push(round);
  }
  const kept = await measureKept(lab, pairs, plan, signal);
  log(`connections kept: plan ${ms(median(kept.map(({ all }) => all)))}`);
  return { figures: figuresOf(cold, kept, connections), notes: notesOf(hosts) };
}

type KeptRound = Omit<Round, "connects">;

function figuresOf(
  cold: readonly Round[],
  kept: readonly KeptRound[],
  connections: number,
): readonly Figure[] {
  const of = <R>(rounds: readonly R[], value: (round: R) => number) => median(rounds.map(value));
  const coldBase = ({ connects, single }: Round) => connects + single;
  return [
    {
      name: "cold: plan / (parallel ssh true + one host's plan)",
      value: of(cold, (round) => round.all / coldBase(round)),
      unit: "x",
      atMost: COLD_MAX,
    },
    {
      name: "cold: podman asked by bare ssh / the same",
      value: of(cold, (round) => round.floor / coldBase(round)),
      unit: "x",
    },
    {
      name: "connections kept: plan / slowest single host's plan",
      value: of(kept, ({ all, single }) => all / single),
      unit: "x",
      atMost: KEPT_MAX,
    },
    {
      name: "connections kept: podman asked by bare ssh / the same",
      value: of(kept, ({ floor, single }) => floor / single),
      unit: "x",
    },
    {
      name: "TCP connections of a host for a plan",
      value: connections,
      unit: "x",
      atMost: CONNECTIONS_MAX,
    },
    { name: "cold: plan", value: of(cold, ({ all }) => all), unit: "ms" },
    { name: "cold: parallel ssh true", value: of(cold, ({ connects }) => connects), unit: "ms" },
    { name: "cold: one host's plan", value: of(cold, ({ single }) => single), unit: "ms" },
    { name: "connections kept: plan", value: of(kept, ({ all }) => all), unit: "ms" },
    {
      name: "connections kept: slowest single host's plan",
      value: of(kept, ({ single }) => single),
      unit: "ms",
    },
  ];
}

function notesOf(hosts: number): readonly string[] {
  return [
    `${hosts} hosts on this machine, containerd and podman in turns: client, every sshd and every engine share its cores, so a plan of all is bound by processor time.`,
    "Podman asked by bare ssh is its list and one inspect on every second host, and nothing of containerd on the others: no plan can be below that.",
    "Connections are kept by a ControlMaster of the user's own, which Stowage uses where one is up.",
  ];
}

/** With masters up: the plan of all against the slowest of the hosts each by itself. */
async function measureKept(
  lab: SshLab,
  pairs: number,
  plan: (config: string, ...words: readonly string[]) => Promise<number>,
  signal: AbortSignal,
): Promise<readonly KeptRound[]> {
  const config = keptConnections(lab);
  const masters = lab.hosts.map(({ address }) =>
    spawn("ssh", ["-F", config, "-M", "-N", `root@${address}`], {
      stdio: "ignore",
    }),
  );
  try {
    for (const { address } of lab.hosts) await untilUp(config, address);
    const rounds: KeptRound[] = [];
    for (let nth = 0; nth < pairs; nth += 1) {
      const singles: number[] = [];
      for (const { name } of lab.hosts) singles.push(await plan(config, "--host", name));
      const floor = await connectAll(lab, config, signal, ASK);
      rounds.push({ floor, single: Math.max(...singles), all: await plan(config) });
    }
    return rounds;
  } finally {
    for (const master of masters) master.kill();
    await Promise.all(
      masters.map((master) => (master.exitCode === null ? once(master, "close") : undefined)),
    );
  }
}

async function untilUp(config: string, address: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const args = ["-F", config, "-O", "check", `root@${address}`];
    const isUp = await timeCommand("ssh", args).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    if (tries > 100) throw new Error(`No connection to ${address} is kept`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** All hosts at once, each by an ssh of its own that does nothing, or asks podman where there is one. */
async function connectAll(
  lab: SshLab,
  config: string,
  signal: AbortSignal,
  ask = "true",
): Promise<number> {
  const asked = new Set(podmanHosts(lab));
  const beganAt = performance.now();
  await Promise.all(
    lab.hosts.map((host) => {
      const command = asked.has(host) ? ask : "true";
      return timeCommand("ssh", ["-F", config, `root@${host.address}`, command], { signal });
    }),
  );
  return performance.now() - beganAt;
}

/** Every second one, as {@link openSshLab} makes them. */
function podmanHosts({ hosts }: SshLab): readonly TestHost[] {
  return hosts.filter((_, at) => at % 2 === 1);
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
