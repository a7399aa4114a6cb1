import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../../src/errors/index.ts";
import type { FleetManifest } from "../../../src/model/index.ts";
import { ApplyProgram } from "../../../test/support/apply-program.ts";
import type { RealFleet } from "../../../test/support/real-fleet.ts";
import { PROJECT_ROOT } from "../project-root.ts";
import { cgroupsInUse } from "./measure.ts";
import { podOf } from "./pods.ts";

/** Pods that a turn changes at once. */
const CHANGED = 8;
/** Processes that a turn kills. */
const KILLED = 3;
/** Forms that a pod goes through. */
const FORMS = 12;
/** One of them in which all pods are declared, and are made anew on the way to form 0. */
const OTHER_FORM = 4;

/** A fleet whose pods are changed, and killed, and whose applies are: again and again. */
export class SoakStory implements AsyncDisposable {
  /** Cgroups that anything of it was in, and which are still there. */
  readonly cgroups = new Set<string>();
  turns = 0;
  kills = 0;
  readonly #fleet: RealFleet;
  readonly #forms: number[];
  readonly #program = new ApplyProgram();
  #applyMs = 2_000;

  private constructor(fleet: RealFleet, pods: number) {
    this.#fleet = fleet;
    this.#forms = Array.from({ length: pods }, () => 0);
    fleet.environment = { ...process.env, SOAK_TOKEN: "soaked" };
    for (const reference of ["app:1", "app:2"]) fleet.image(reference);
  }

  static async open(fleet: RealFleet, pods: number): Promise<SoakStory> {
    const story = new SoakStory(fleet, pods);
    await story.#program.build();
    await story.rest();
    return story;
  }

  /** Changes pods, kills processes and what watches them, and applies: killed in two of three turns, then to its end. */
  async turn(): Promise<void> {
    this.turns += 1;
    for (let count = 0; count < CHANGED; count += 1)
      this.#forms[below(this.#forms.length)] = below(FORMS);
    await this.#killSome();
    await this.#killedExec();
    if (this.turns % 3 > 0) await this.#killedApply();
    await this.#converge();
  }

  /** Goes to the form in which everything is measured, and waits until what is on its way out is gone. */
  async rest(): Promise<void> {
    // by another one, so that each pod has a history, those too that the last turn had taken away
    this.#forms.fill(OTHER_FORM);
    await this.#converge();
    this.#forms.fill(0);
    await this.#converge();
    // commands whose exec was killed end by themselves
    await delay(3_000);
    await this.#converge();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#program[Symbol.dispose]();
    await this.#fleet[Symbol.asyncDispose]();
  }

  get #manifest(): FleetManifest {
    const pods = this.#forms.flatMap((form, number) => {
      const pod = podOf(number, form);
      return pod === undefined ? [] : [[`pod-${number}`, pod] as const];
    });
    return this.#fleet.manifest(Object.fromEntries(pods), { networks: { front: {}, back: {} } });
  }

  async #converge(): Promise<void> {
    const manifest = this.#manifest;
    const startedAt = performance.now();
    const report = await this.#fleet.apply(manifest, { lockTimeoutMs: 60_000 });
    this.#applyMs = performance.now() - startedAt;
    const { status, outcomes } = report;
    if (status !== "done" && status !== "converged") {
      const failed = outcomes.filter((each) => each.status !== "done");
      const why = failed.length > 0 ? failed : report.plan.hostChanges;
      throw unmended(`an apply, ${status},`, this.turns, why);
    }
    const { pods, hostChanges } = await this.#fleet.plan(manifest);
    const left = [...pods, ...hostChanges];
    if (left.length > 0) throw unmended("plan", this.turns, left);
    for (const path of this.cgroups) if (!existsSync(path)) this.cgroups.delete(path);
    for (const path of cgroupsInUse()) this.cgroups.add(path);
  }

  /** Kills processes of containers, and of one what watches it. */
  async #killSome(): Promise<void> {
    const spec = this.#manifest.hosts["here"] as FleetManifest["hosts"][string];
    await using reading = await this.#fleet.connect().read("here", spec);
    const { pods } = await reading.engine.observe();
    const pids = pods.flatMap(({ containers }) =>
      Object.values(containers).flatMap(({ pid }) => pid ?? []),
    );
    const victims = Array.from({ length: KILLED }, () => pids[below(pids.length)] ?? 0);
    const [first = 0] = victims;
    const watcher = parentOf(first);
    for (const pid of watcher > 1 ? [watcher, ...victims.slice(1)] : victims) kill(pid);
    this.kills += KILLED;
  }

  /** An apply that is killed at some instant. */
  async #killedApply(): Promise<void> {
    const manifest = this.#fleet.write("soak", this.#manifest);
    const { process: child, ended } = this.#program.start({ manifest, lockTimeoutMs: 60_000 });
    const timer = setTimeout(() => child.kill("SIGKILL"), 400 + below(this.#applyMs));
    await ended;
    clearTimeout(timer);
    this.kills += 1;
  }

  /** A command in a container, whose Stowage is killed at some instant. */
  async #killedExec(): Promise<void> {
    const manifest = this.#fleet.write("soak", this.#manifest);
    const pod = `pod-${below(this.#forms.length)}`;
    const main = join(PROJECT_ROOT, "dist/cli/main.cjs");
    const words = ["exec", "-f", manifest, "-c", "main", pod, "--", "sleep", "2"];
    const child = spawn(process.execPath, [main, ...words], { stdio: "ignore" });
    const timer = setTimeout(() => child.kill("SIGKILL"), 200 + below(1_500));
    await once(child, "close");
    clearTimeout(timer);
    this.kills += 1;
  }
}

function unmended(what: string, turn: number, left: unknown): StowageError {
  const words = JSON.stringify(left, (_, each: unknown) =>
    each instanceof Error ? each.message : each,
  );
  return new StowageError(
    `Cannot go on with the soak: ${what} of turn ${turn} left ${words.slice(0, 3000)}`,
    { code: "internal" },
  );
}

function below(limit: number): number {
  return Math.floor(Math.random() * limit);
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0;
  }
}

function kill(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, "SIGKILL");
  } catch {
    // gone meanwhile
  }
}
