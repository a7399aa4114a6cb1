import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { HostPlan, PlannedApp } from "./host.ts";
import { print } from "./output.ts";

/** systemd kills what has not ended by then. */
const STOP_TIMEOUT_MS = 90_000;
const CANNOT_EXECUTE = 203;

/** Process number one of a pod of the flavour host: starts its apps, prints what they say, ends with them. */
class HostInit {
  readonly #pod: string;
  readonly #plan: HostPlan;
  readonly #running = new Map<string, ChildProcess | undefined>();
  #isStopping = false;
  #failure = 0;

  constructor(pod: string) {
    this.#pod = pod;
    this.#plan = JSON.parse(readFileSync(join(pod, "stage1/rootfs/plan.json"), "utf8")) as HostPlan;
  }

  run(): void {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#stop());
    process.on("SIGHUP", () => {});
    const { status, stderr } = spawnSync("/bin/sh", ["-c", this.#plan.mounts], {
      encoding: "utf8",
    });
    if (status !== 0) {
      process.stderr.write(stderr);
      this.#finish(1);
    }
    writeFileSync("/proc/sys/kernel/hostname", this.#plan.hostname);
    spawnSync("ip", ["link", "set", "lo", "up"]);
    writeFileSync(join(this.#pod, "ppid"), process.env["supervisor"] ?? "");
    for (const { name } of this.#plan.apps) this.#running.set(name, undefined);
    for (const app of this.#plan.apps) this.#start(app);
    // asked before this process could hear it
    if (existsSync(join(this.#pod, "stopping"))) this.#stop();
  }

  #start(app: PlannedApp): void {
    const environment = Object.entries(app.environment).map(
      ([name, value]) => `${name}=${value}\n`,
    );
    writeFileSync(join(this.#pod, "stage1/rootfs/rkt/env", app.name), environment.join(""));
    if (app.problem !== undefined) {
      print(`${app.problem}\r\n`);
      this.#ended(app.name, CANNOT_EXECUTE);
      return;
    }
    const [program = "", ...args] = app.command;
    const child = spawn(program, args, {
      env: app.environment,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#running.set(app.name, child);
    const said = [child.stdout, child.stderr].map((stream) =>
      printLines(stream, app.name, child.pid),
    );
    child.on("exit", (code, signal) => {
      const number = signal === null ? (code ?? 1) : signalNumber(signal);
      // what it said comes before its end; a child of its own may keep the pipe open for ever
      const patience = new Promise((resolve) => setTimeout(resolve, 100));
      void Promise.race([Promise.all(said), patience]).then(() => this.#ended(app.name, number));
    });
  }

  #ended(name: string, code: number): void {
    this.#running.delete(name);
    writeFileSync(
      join(this.#pod, "stage1/rootfs/rkt/status", name),
      `${this.#isStopping ? 0 : code}`,
    );
    if (code !== 0 && !this.#isStopping) {
      this.#failure = code;
      this.#stop();
    }
    if (this.#running.size === 0) this.#finish(this.#failure);
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    signalAll("SIGTERM");
    setTimeout(() => signalAll("SIGKILL"), STOP_TIMEOUT_MS);
  }

  #finish(code: number): never {
    writeFileSync(join(this.#pod, "stage1/rootfs/exit-code"), `${code}\n`);
    process.exit(code);
  }
}

/** Signals every process of the pod but this one. */
function signalAll(signal: NodeJS.Signals): void {
  try {
    process.kill(-1, signal);
  } catch {
    // there is none
  }
}

async function printLines(stream: Readable, name: string, pid: number | undefined): Promise<void> {
  for await (const line of createInterface({ input: stream })) {
    const micros = process.hrtime.bigint() / 1000n;
    const seconds = `${micros / 1_000_000n}`.padStart(5);
    print(`[${seconds}.${`${micros % 1_000_000n}`.padStart(6, "0")}] ${name}[${pid}]: ${line}\r\n`);
  }
}

function signalNumber(signal: NodeJS.Signals): number {
  return constants.signals[signal];
}

new HostInit(process.argv[2] ?? "").run();
