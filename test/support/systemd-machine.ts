import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { isRequiredEngine } from "../set-up/required-engines.ts";

const SYSTEMD = "/lib/systemd/systemd";
const CGROUPS = "/sys/fs/cgroup";
/** Units that others want or need, and that do nothing here: those of the machine that tests run on have no place. */
const STUBS = ["sysinit", "basic", "shutdown", "network-online", "multi-user"];

/** Prepares what a systemd of its own sees, and becomes it. */
const BEGIN = `
mount --make-rslave /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mount --bind "$1/units" /etc/systemd/system
mount -t tmpfs -o mode=755 tmpfs ${CGROUPS}
while read -r kind name; do
  mkdir "${CGROUPS}/$name"
  case $kind in
    2) mount -t cgroup2 cgroup2 "${CGROUPS}/$name" ;;
    1) [ "$name" = systemd ] && options=none,name=systemd || options=$name
      mount -t cgroup -o "$options" cgroup "${CGROUPS}/$name" ;;
  esac
done <"$1/hierarchies"
ip link set lo up
export container=stowage-test SYSTEMD_UNIT_PATH=/run/systemd/system:/etc/systemd/system:$1/stubs
export SYSTEMD_LOG_TARGET=console SYSTEMD_LOG_LEVEL=warning
exec ${SYSTEMD} --system --unit=multi-user.target --show-status=0`;

/** Why there can be no {@link SystemdMachine} here; undefined when there can, or the run requires it. */
export function whyNoSystemd(): string | undefined {
  if (isRequiredEngine("systemd")) return undefined;
  if (process.getuid?.() !== 0) return "a systemd of its own needs root";
  if (!existsSync(SYSTEMD)) return "there is no systemd; install the package systemd";
  return existsSync(`${CGROUPS}/systemd`) ? undefined : "cgroups are not of version 1 here";
}

/**
 * A machine of namespaces whose first process is systemd, with its own processes, network, /run, units and
 * cgroups; files are those of the machine around it. It can be restarted: units and files stay.
 */
export class SystemdMachine implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "stw-systemd-"));
  readonly #name = this.#folder.split("/").at(-1) as string;
  readonly #hierarchies = readdirSync(CGROUPS).filter((name) =>
    existsSync(`${CGROUPS}/${name}/cgroup.procs`),
  );
  #pid = 0;

  private constructor() {
    for (const name of ["units", "stubs"]) mkdirSync(join(this.#folder, name));
    for (const name of STUBS)
      writeFileSync(join(this.#folder, `stubs/${name}.target`), "[Unit]\nDefaultDependencies=no\n");
    const version = (name: string) => (name === "unified" ? 2 : 1);
    const lines = this.#hierarchies.map((name) => `${version(name)} ${name}\n`);
    writeFileSync(join(this.#folder, "hierarchies"), lines.join(""));
  }

  static async boot(): Promise<SystemdMachine> {
    const machine = new SystemdMachine();
    await machine.#boot();
    return machine;
  }

  /** Takes its power away and starts it again. */
  async reboot(): Promise<void> {
    await this.#end();
    await this.#boot();
  }

  /** Runs a program there, whatever it comes to. */
  spawn(command: readonly string[]) {
    return spawnSync("nsenter", [...this.#entering(), ...command], { encoding: "utf8" });
  }

  /** Runs a program there. @returns its stdout */
  run(...command: readonly string[]): string {
    return execFileSync("nsenter", [...this.#entering(), ...command], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Properties of a unit, by name. */
  unit(name: string, ...properties: readonly string[]): Readonly<Record<string, string>> {
    const text = this.run(
      "systemctl",
      "show",
      name,
      ...properties.map((each) => `--property=${each}`),
    );
    return Object.fromEntries(
      text
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split(/=(.*)/s, 2)),
    );
  }

  /** Names of units whose names begin so, that systemd has in memory or on disk. */
  units(prefix: string): readonly string[] {
    const lines = this.run(
      "systemctl",
      "list-units",
      "--all",
      "--plain",
      "--no-legend",
      `${prefix}*`,
    );
    return lines.split("\n").flatMap((line) => line.trim().split(/\s+/)[0] || []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #entering(): readonly string[] {
    return ["--target", String(this.#pid), "--all", "--"];
  }

  async #boot(): Promise<void> {
    const groups = this.#hierarchies.map((name) => `${CGROUPS}/${name}/${this.#name}`);
    const enter = groups
      .map((group) => `mkdir -p ${group} && ${prepared(group)} echo 0 >${group}/cgroup.procs`)
      .join(" && ");
    const spaces = "--mount --pid --fork --uts --ipc --net --cgroup --kill-child";
    const script = `${enter} && exec unshare ${spaces} sh -ec "$0" sh ${this.#folder}`;
    const child = spawn("sh", ["-ec", script, BEGIN], { stdio: "ignore", detached: true });
    this.#pid = await firstProcess(child.pid as number);
    for (let tries = 0; ; tries += 1) {
      const { stdout } = this.spawn(["systemctl", "is-system-running"]);
      if (/running|degraded/.test(stdout)) return;
      if (tries === 300) throw new Error(`systemd does not come up: ${stdout}`);
      await delay(100);
    }
  }

  async #end(): Promise<void> {
    process.kill(this.#pid, "SIGKILL");
    const groups = this.#hierarchies.map((name) => `${CGROUPS}/${name}/${this.#name}`);
    for (let tries = 0; ; tries += 1) {
      for (const group of groups)
        spawnSync("find", [group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
      if (!groups.some((group) => existsSync(group))) return;
      if (tries === 100) throw new Error(`cgroups of ${this.#name} stay`);
      await delay(50);
    }
  }
}

/** A new cpuset is empty, and nothing can run in it. */
function prepared(group: string): string {
  const file = (name: string) => `cat ${group}/../${name} >${group}/${name} &&`;
  return group.includes("/cpuset/") ? ["cpuset.cpus", "cpuset.mems"].map(file).join(" ") : "";
}

/** The process that unshare(1) has begun in its namespaces, once it is systemd. */
async function firstProcess(parent: number): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { stdout } = spawnSync("ps", ["-o", "pid=,comm=", "--ppid", String(parent)], {
      encoding: "utf8",
    });
    const found = /^\s*(\d+) systemd$/m.exec(stdout);
    if (found !== null) return Number(found[1]);
    await delay(50);
  }
  throw new Error("systemd does not begin");
}
