import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { whyNoPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import { createConnector } from "../../src/cli/connector.ts";
import { FleetManifest, type PodSpec } from "../../src/model/index.ts";
import { WatchProcess } from "../../test/support/watch-process.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult, Figure } from "../lib/benchmark.ts";
import { openContainerdLab } from "../lib/containerd-lab.ts";
import { cpuTimeMs } from "../lib/cpu-time.ts";
import { openPodmanLab, whyNoPodmanLab } from "../lib/podman-lab.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const PODS = 100;
const IDLE_MS = 30_000;
const IDLE_MAX = 1;
const KILLS = 10;
const MENDED_MS_MAX = 2000;
/** What is under way when all was looked at: the last events of the apply. */
const SETTLE_MS = 5000;
const ALWAYS: Partial<PodSpec> = { restart: { policy: "always" } };

type Lab = Pick<Awaited<ReturnType<typeof openPodmanLab>>, "dir" | "writeFleet"> & AsyncDisposable;

/** What `stowage watch` costs while nothing happens, and how soon a killed pod runs again. */
export const watchPods: Benchmark = {
  name: "watch-pods",
  title: `stowage watch of ${PODS} pods: CPU while nothing happens; from a pod's end to its new start`,
  whyNot: () => whyNoPrivateContainerd() ?? whyNoPodmanLab(),
  run: async (context) => {
    const figures = [
      ...(await measure("containerd", await openContainerdLab(), context)),
      ...(await measure("podman", await openPodmanLab(), context)),
    ];
    return { figures, notes: NOTES } satisfies BenchmarkResult;
  },
};

const NOTES = [
  `CPU is that of the watch and of all that it runs, over ${IDLE_MS / 1000} s, in percent of one core.`,
  "Times are those that the engine gives its two events; podman starts its pods again by itself.",
];

async function measure(
  kind: string,
  opened: Lab,
  { divisor, signal, log }: BenchmarkContext,
): Promise<readonly Figure[]> {
  await using lab = opened;
  const main = stowageMain();
  const manifest = lab.writeFleet("many", Math.ceil(PODS / divisor), ALWAYS);
  const stowage = (...args: string[]) =>
    timeCommand(process.execPath, [main, ...args, "-f", manifest, "--yes"], {
      signal,
      cwd: lab.dir,
    });
  await stowage("apply");
  {
    await using watch = new WatchProcess(main, "-f", manifest);
    await watch.told("listening");
    await watch.told("pass", ({ kind: each }) => each === "full");
    await delay(SETTLE_MS, undefined, { signal });
    const before = cpuTimeMs(watch.pid);
    await delay(IDLE_MS, undefined, { signal });
    const idle = (100 * (cpuTimeMs(watch.pid) - before)) / IDLE_MS;
    log(`${kind}: ${idle.toFixed(2)} % of a core while nothing happens`);
    const times: number[] = [];
    for (const [pod, pid] of (await processes(manifest)).slice(0, KILLS)) {
      times.push(await killAndWait(watch, pod, pid));
    }
    log(`${kind}: runs again after ${times.map((ms) => ms.toFixed(0)).join(", ")} ms`);
    await watch.stop();
    await stowage("destroy");
    return [
      { name: `${kind}: CPU while nothing happens`, value: idle, unit: "%", atMost: IDLE_MAX },
      {
        name: `${kind}: a killed pod runs again, the longest`,
        value: Math.max(...times),
        unit: "ms",
        atMost: MENDED_MS_MAX,
      },
    ];
  }
}

/** Process of each pod. */
async function processes(path: string): Promise<readonly (readonly [string, number])[]> {
  const manifest = FleetManifest.parse(JSON.parse(readFileSync(path, "utf8")));
  const [[host, spec] = ["", undefined]] = Object.entries(manifest.hosts);
  if (spec === undefined) return [];
  await using reading = await createConnector().read(host, spec);
  const { pods } = await reading.engine.observe({ podsOnly: true });
  return pods.flatMap(({ pod, containers }) => {
    const pid = containers["main"]?.pid;
    return pid === undefined ? [] : [[pod, pid] as const];
  });
}

/** @returns milliseconds between the two events */
async function killAndWait(watch: WatchProcess, pod: string, pid: number): Promise<number> {
  const heard = async (kind: string) =>
    (await watch.told("heard", ({ event }) => event.kind === kind && event.pod?.pod === pod)).event
      .at;
  process.kill(pid, "SIGKILL");
  const ended = Date.parse(await heard("ended"));
  return Date.parse(await heard("started")) - ended;
}
