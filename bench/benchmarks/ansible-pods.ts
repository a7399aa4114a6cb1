import { StowageError } from "../../src/errors/index.ts";
import { findOnPath } from "../../src/internal/index.ts";
import { whyNoTestHosts } from "../../test/hosts/test-hosts.ts";
import { type AnsibleLab, openAnsibleLab, whyNoAnsibleLab } from "../lib/ansible-lab.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult, Figure } from "../lib/benchmark.ts";
import { runWords } from "../lib/podman-run.ts";
import { openSshLab, type SshLab } from "../lib/ssh-lab.ts";
import { median, medianRatio, type Pair } from "../lib/statistics.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const HOSTS = 10;
const PODS = 10;
const FIRST_MAX = 1 / 5;
const NO_OP_MAX = 1 / 20;

/** `stowage apply` on podman over SSH, against ansible-playbook. */
export const ansiblePods: Benchmark = {
  name: "ansible-pods",
  title: `apply of ${PODS} pods on each of ${HOSTS} hosts over SSH, first and with nothing to do, against Ansible`,
  whyNot: () =>
    whyNoTestHosts() ??
    whyNoAnsibleLab() ??
    (findOnPath("podman") === undefined ? "podman is not on PATH" : undefined),
  run: measure,
};

/** One of the two that bring the same pods to the same hosts. */
interface Side {
  readonly name: string;
  apply(): Promise<number>;
  /** Takes the pods away, and whatever else would make the next first apply another one. */
  clear(): Promise<void>;
}

/** Milliseconds of both applies. */
interface Round {
  readonly first: number;
  readonly noOp: number;
}

async function measure(context: BenchmarkContext): Promise<BenchmarkResult> {
  const { pairs, divisor, signal } = context;
  const hosts = Math.max(2, Math.ceil(HOSTS / divisor));
  const pods = Math.max(2, Math.ceil(PODS / divisor));
  await using lab = await openSshLab({ hosts, engine: () => ({ kind: "podman" }) });
  const ours = await stowageSide(lab, pods, signal);
  await using ansible = await openAnsibleLab(lab, { pods, signal });
  const theirs = ansibleSide(lab, ansible);
  // its first run compiles it
  await ansible.playbook("--limit", lab.hosts[0]?.name ?? "");
  await theirs.clear();
  const first: Pair[] = [];
  const noOp: Pair[] = [];
  const bare: number[] = [];
  // one of Ansible's takes minutes
  for (let nth = 0; nth < Math.ceil(pairs / 2); nth += 1) {
    const found = new Map<Side, Round>();
    for (const side of nth % 2 === 0 ? [ours, theirs] : [theirs, ours])
      found.set(side, await measureRound(side, lab, pods, context));
    const pair = (step: keyof Round): Pair => ({
      oursMs: found.get(ours)?.[step] ?? 0,
      theirsMs: found.get(theirs)?.[step] ?? 0,
    });
    first.push(pair("first"));
    noOp.push(pair("noOp"));
    bare.push(await runBare(lab, pods, context));
  }
  return {
    figures: [...figuresOf(first, noOp), ...floorOf(bare, first)],
    notes: notesOf(hosts, pods),
  };
}

async function stowageSide(lab: SshLab, pods: number, signal: AbortSignal): Promise<Side> {
  const stowage = (word: string, manifest: string) =>
    timeCommand(process.execPath, [stowageMain(), word, "-f", manifest, "--yes"], {
      signal,
      env: { STOWAGE_SSH_CONFIG: lab.config },
    });
  // a second fleet holds the image, so that it is there whenever the first is applied
  await stowage("apply", lab.writeFleet("keeper", { pods: 1 }));
  const manifest = lab.writeFleet("fleet", { pods });
  return {
    name: "stowage apply",
    apply: async () => await stowage("apply", manifest),
    clear: async () => void (await stowage("destroy", manifest)),
  };
}

function ansibleSide({ hosts }: SshLab, ansible: AnsibleLab): Side {
  const remove = "podman ps --quiet --filter name=ansible- | xargs -r podman rm --force --time 0";
  return {
    name: "ansible-playbook",
    apply: async () => await ansible.playbook(),
    clear: async () => {
      await Promise.all(hosts.map((host) => host.sh(remove)));
      await ansible.disconnect();
    },
  };
}

async function measureRound(
  side: Side,
  lab: SshLab,
  pods: number,
  { log }: BenchmarkContext,
): Promise<Round> {
  const first = await side.apply();
  const before = await containersOf(lab, pods);
  const noOp = await side.apply();
  const after = await containersOf(lab, pods);
  if (before.join() !== after.join())
    throw cannot(`the second ${side.name} changed what the first one made`);
  await side.clear();
  log(`${side.name}: first ${seconds(first)}, nothing to do ${seconds(noOp)}`);
  return { first, noOp };
}

/**
 * The least that podman takes for as many pods: its own `run` with the words that Stowage gave it, on all hosts at
 * once, without ssh, and without looking whether anything is there.
 */
async function runBare(
  { hosts }: SshLab,
  pods: number,
  { log }: BenchmarkContext,
): Promise<number> {
  const [host] = hosts;
  const told = await host?.sh(
    "podman inspect --format '{{json .Config.CreateCommand}}' $(podman ps --quiet)",
  );
  const words = runWords(JSON.parse(told ?? "[]") as string[]).map(quoted);
  const names = Array.from({ length: pods }, (_, at) => `bare-${at}`).join(" ");
  const run = `printf '%s\\n' ${names} | xargs -P2 -I NAME podman run --detach ${words.join(" ")} >/dev/null`;
  const beganAt = performance.now();
  await Promise.all(hosts.map(async (each) => await each.sh(run)));
  const ms = performance.now() - beganAt;
  await Promise.all(
    hosts.map(async (each) => await each.sh(`podman rm --force --time 0 ${names} >/dev/null`)),
  );
  log(`bare podman run: ${seconds(ms)}`);
  return ms;
}

/** Ids of what runs, with the start of each. */
async function containersOf({ hosts }: SshLab, pods: number): Promise<readonly string[]> {
  const list = "podman ps --no-trunc --sort names --format '{{.ID}} {{.StartedAt}}'";
  const found = await Promise.all(hosts.map(async (host) => (await host.sh(list)).trim()));
  // one is the keeper's
  const wrong = found.find((text) => text.split("\n").length !== pods + 1);
  if (wrong !== undefined) throw cannot(`not ${pods + 1} containers run, but:\n${wrong}`);
  return found;
}

function cannot(why: string): StowageError {
  return new StowageError(`Cannot measure: ${why}`, { code: "internal" });
}

/** A word for the shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function figuresOf(first: readonly Pair[], noOp: readonly Pair[]): readonly Figure[] {
  const times = (name: string, pairs: readonly Pair[]): readonly Figure[] => [
    { name: `${name}: stowage`, value: median(pairs.map(({ oursMs }) => oursMs)), unit: "ms" },
    { name: `${name}: Ansible`, value: median(pairs.map(({ theirsMs }) => theirsMs)), unit: "ms" },
  ];
  return [
    {
      name: "first apply: stowage / Ansible",
      value: medianRatio(first),
      unit: "x",
      atMost: FIRST_MAX,
    },
    {
      name: "nothing to do: stowage / Ansible",
      value: medianRatio(noOp),
      unit: "x",
      atMost: NO_OP_MAX,
    },
    ...times("first apply", first),
    ...times("nothing to do", noOp),
  ];
}

/** What a first apply cannot be below, as podman's own command alone takes it. */
function floorOf(bare: readonly number[], first: readonly Pair[]): readonly Figure[] {
  const ratios = bare.map((ms, at) => ms / (first[at]?.theirsMs ?? Number.NaN));
  return [
    { name: "first apply: bare podman run / Ansible", value: median(ratios), unit: "x" },
    { name: "first apply: bare podman run", value: median(bare), unit: "ms" },
  ];
}

function notesOf(hosts: number, pods: number): readonly string[] {
  return [
    `${hosts} hosts on this machine with ${pods} pods each, without a network, the image in the store; one podman, one sshd a host.`,
    "Debian trixie's Ansible: pipelining, a fork for each host, strategy free, no facts, no search for Python, one task with a loop of containers.podman.podman_container.",
    "Ansible keeps its connections for a minute: it has none at the first apply, as Stowage, and all of them where there is nothing to do, where Stowage opens them anew.",
    "Stowage waits 0.4 s for what it started; Ansible does not look whether it goes on.",
  ];
}
