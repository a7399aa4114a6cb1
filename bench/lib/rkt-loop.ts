import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../src/errors/index.ts";
import { LOG_WRITER_SCRIPT } from "../../src/host/index.ts";
import { effectiveLogging } from "../../src/model/index.ts";
import { CHANGES_AT_ONCE } from "../../src/reconcile/execute/host-session.ts";
import { podProcesses, type RktLab } from "./rkt-lab.ts";
import { timeCommand } from "./time-command.ts";

/** Time after which pods that do not come up are given up. */
const UP_MS = 60_000;

/** What the loop runs a pod in: what Stowage does, or no more than rkt's mounts away from the host's table. */
export type LoopKind = "same" | "bare";

/** The same pods made by rkt's own command line. */
export interface RktLoop {
  /** Prepares and runs them all; returns the milliseconds until the last one's process is its own. */
  run(kind: LoopKind): Promise<number>;
  /** Ends and removes them all. */
  remove(): Promise<void>;
}

/**
 * A shell loop over the pod manifests that Stowage gave to rkt, as many at once as Stowage has. A pod gets
 * mounts of its own: rkt's fly mounts the host's own /dev and /sys, which nobody would leave in the host's
 * table. The same pod has no network, a host name, no new privileges, and its output kept, as well.
 */
export function openRktLoop(lab: RktLab, others: number, signal: AbortSignal): RktLoop {
  const folder = join(lab.dir, "loop");
  mkdirSync(folder);
  const names = readdirSync(lab.podsDir);
  for (const name of names)
    cpSync(join(lab.podsDir, name, "main.manifest"), join(folder, `${name}.manifest`));
  const manifests = join(lab.dir, "manifests");
  writeFileSync(manifests, names.map((name) => `${join(folder, name)}.manifest\0`).join(""));
  const scripts: Readonly<Record<LoopKind, string>> = {
    bare: loopScript(lab, bareRun(lab)),
    same: loopScript(lab, sameRun(lab, folder)),
  };
  return {
    run: async (kind) => {
      const began = performance.now();
      const args = ["-0", "-a", manifests, `-P${CHANGES_AT_ONCE}`, "-n1", "sh", "-c"];
      await timeCommand("xargs", [...args, scripts[kind]], { signal });
      while (podProcesses(lab.dataDir).length < names.length + others) {
        await delay(2, undefined, { signal });
        if (performance.now() - began > UP_MS)
          throw new StowageError("Cannot measure: not every pod of the loop came up", {
            code: "internal",
          });
      }
      return performance.now() - began;
    },
    remove: async () => removePods(lab, folder),
  };
}

function loopScript(lab: RktLab, run: string): string {
  const flags = ["--quiet", `--stage1-name=${lab.stage1}`];
  return `u=$(${lab.rkt("prepare", ...flags).join(" ")} --pod-manifest="$0") || exit
echo $u >"$0.uuid"
${run}`;
}

function bareRun(lab: RktLab): string {
  const run = lab.rkt("run-prepared").join(" ");
  return `setsid --fork unshare --mount ${run} $u </dev/null >"$0.log" 2>&1`;
}

function sameRun(lab: RktLab, folder: string): string {
  const writer = join(folder, "log-writer");
  writeFileSync(writer, LOG_WRITER_SCRIPT);
  const { maxBytes, maxFiles } = effectiveLogging(undefined);
  const inner = `echo loop >/proc/sys/kernel/hostname
ip link set lo up
exec setpriv --no-new-privs ${lab.rkt("run-prepared").join(" ")} $0`;
  const run = `mkdir -p "$2" && unshare --mount --uts --net sh -c "$0" "$1" 2>&1 |
sh ${writer} "$2" ${maxBytes} ${maxFiles} 3<&0 4</dev/null`;
  return `setsid --fork sh -c '${run}' '${inner}' $u "$0.logs" </dev/null >/dev/null 2>&1`;
}

function removePods(lab: RktLab, folder: string): void {
  const script = `set -- $(cat ${folder}/*.uuid)
kill -9 $(for u; do cat ${lab.dataDir}/pods/run/$u/pid; done)
left() { for u in $(cat ${folder}/*.uuid); do [ ! -e ${lab.dataDir}/pods/run/$u ] || echo $u; done; }
n=0
# one whose process is not quite gone is left
while u=$(left); [ -n "$u" ]; do
  ${lab.rkt("rm").join(" ")} $u >/dev/null 2>&1
  n=$((n + 1))
  [ $n -lt 100 ] || exit 1
done`;
  const { status, stderr } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
  if (status === 0) return;
  throw new StowageError(`Cannot remove the pods of the loop: ${stderr}`, { code: "internal" });
}
