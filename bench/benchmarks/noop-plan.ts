import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { whyNoPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import { PROJECT_ROOT } from "../../scripts/lib/project-root.ts";
import { COMMAND, STOP_SIGNAL } from "../lib/bench-fleet.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult } from "../lib/benchmark.ts";
import { type ContainerdLab, openContainerdLab, STOWAGE_NAMESPACE } from "../lib/containerd-lab.ts";
import { runForPeakMemory } from "../lib/peak-memory.ts";
import { measurePairs, median, medianRatio } from "../lib/statistics.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const PODS = 500;
const RATIO_MAX = 3;
const PEAK_MEGABYTES_MAX = 200;

/** `stowage plan` where there is nothing to do, against the bare lists of the engine. */
export const noopPlan: Benchmark = {
  name: "noop-plan",
  title: `plan of ${PODS} pods with nothing to do, against ctr containers ls + ctr tasks ls`,
  whyNot: whyNoPrivateContainerd,
  run: measure,
};

async function measure(context: BenchmarkContext): Promise<BenchmarkResult> {
  const { pairs, signal, log } = context;
  const pods = Math.ceil(PODS / context.divisor);
  const main = stowageMain();
  await using lab = await openContainerdLab();
  const manifest = lab.writeFleet("noop", pods);
  const stowage = (...args: string[]) =>
    timeCommand(process.execPath, [main, ...args], { signal, cwd: lab.dir });
  const applyMs = await stowage("apply", "-f", manifest, "--yes");
  log(`${pods} pods applied in ${(applyMs / 1000).toFixed(1)} s`);
  const ourPlan = () => stowage("plan", "-f", manifest);
  const theirLists = () => listWithCtr(lab, signal);
  await ourPlan();
  await theirLists();
  const measured = await measurePairs(pairs, ourPlan, theirLists);
  const { peakBytes } = await runForPeakMemory([main, "plan", "-f", manifest], { signal });
  const project = writeProject(lab, pods);
  const appMs = await medianOf(pairs, () => stowage("-C", project, "plan"));
  await stowage("destroy", "-f", manifest, "--yes");
  return {
    figures: [
      {
        name: "plan -f / (ctr c ls + ctr t ls)",
        value: medianRatio(measured),
        unit: "x",
        atMost: RATIO_MAX,
      },
      {
        name: "peak memory of plan -f",
        value: peakBytes / 1e6,
        unit: "MB",
        atMost: PEAK_MEGABYTES_MAX,
      },
      { name: "plan -f", value: median(measured.map(({ oursMs }) => oursMs)), unit: "ms" },
      {
        name: "ctr c ls + ctr t ls",
        value: median(measured.map(({ theirsMs }) => theirsMs)),
        unit: "ms",
      },
      { name: "plan through the app (tsx)", value: appMs, unit: "ms" },
    ],
    notes: [`${pods} running pods; the digest of their image is in its reference.`],
  };
}

async function listWithCtr(lab: ContainerdLab, signal: AbortSignal): Promise<number> {
  const list = (noun: string) =>
    timeCommand("ctr", lab.ctrArgs(STOWAGE_NAMESPACE, noun, "ls"), { signal });
  return (await list("containers")) + (await list("tasks"));
}

async function medianOf(count: number, run: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) times.push(await run());
  return median(times);
}

/** A project whose app declares the same fleet. */
function writeProject(lab: ContainerdLab, pods: number): string {
  const project = join(lab.dir, "project");
  mkdirSync(project);
  symlinkSync(join(PROJECT_ROOT, "node_modules"), join(project, "node_modules"));
  const { engine, stateDir, runDir } = lab.host;
  const { reference, digest, layout } = lab.image;
  const socket = engine.kind === "containerd" ? engine.socket : undefined;
  const app = `
import { App, Engine, Fleet, Host, Image, Pod } from ${JSON.stringify(join(PROJECT_ROOT, "dist/index.js"))};
const app = new App();
const fleet = new Fleet(app, "noop", {});
const host = new Host(fleet, "bench", {
  address: "local",
  engine: Engine.containerd({ socket: ${JSON.stringify(socket)} }),
  stateDir: ${JSON.stringify(stateDir)},
  runDir: ${JSON.stringify(runDir)},
});
const image = new Image(fleet, "image", {
  reference: ${JSON.stringify(`${reference}@${digest}`)},
  layout: ${JSON.stringify(layout)},
  digest: ${JSON.stringify(digest)},
});
for (let at = 1; at <= ${pods}; at += 1) {
  new Pod(host, \`pod-\${String(at).padStart(${String(pods).length}, "0")}\`, {
    containers: { main: { image, command: ${JSON.stringify(COMMAND)}, stopSignal: ${JSON.stringify(STOP_SIGNAL)} } },
  });
}
app.synth();
`;
  writeFileSync(join(project, "main.ts"), app);
  const config = {
    language: "typescript",
    app: "node --import tsx main.ts",
    projectId: "stowage-bench",
  };
  writeFileSync(join(project, "cdktf.json"), JSON.stringify(config));
  return project;
}
