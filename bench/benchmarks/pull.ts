import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeImage } from "../../scripts/lib/make-image.ts";
import { whyNoPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import { findOnPath } from "../../src/internal/index.ts";
import { pushImage } from "../../test/support/registry/push-image.ts";
import { startRegistry } from "../../test/support/registry/real-registry.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult } from "../lib/benchmark.ts";
import { type ContainerdLab, openContainerdLab, STOWAGE_NAMESPACE } from "../lib/containerd-lab.ts";
import { measurePairs, median, medianRatio } from "../lib/statistics.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const LAYERS = 10;
const LAYER_BYTES = 50_000_000;
const RATIO_MAX = 1.15;
const CTR_NAMESPACE = "bench-pull";

/** `stowage pull` from a registry, against containerd's own command line. */
export const pull: Benchmark = {
  name: "pull",
  title: `pull of ${(LAYERS * LAYER_BYTES) / 1e6} MB in ${LAYERS} layers, against ctr images pull`,
  whyNot: () =>
    findOnPath("docker-registry") === undefined
      ? "docker-registry is not on PATH"
      : whyNoPrivateContainerd(),
  run: measure,
};

async function measure({
  pairs,
  divisor,
  signal,
  log,
}: BenchmarkContext): Promise<BenchmarkResult> {
  const main = stowageMain();
  await using lab = await openContainerdLab();
  await using registry = await startRegistry(findOnPath("docker-registry") ?? "docker-registry");
  const layout = join(lab.dir, "large");
  makeImage({
    out: layout,
    reference: "localhost/large:1",
    layers: Array.from(
      { length: LAYERS },
      (_, at) => new Map([[`/layer-${at}`, { content: randomBytes(LAYER_BYTES / divisor) }]]),
    ),
  });
  const digest = await pushImage({
    layout,
    repository: `http://${registry.domain}/v2/large`,
    tag: "1",
  });
  const reference = `${registry.domain}/large:1`;
  const manifest = writeManifest(lab, `${reference}@${digest}`);
  const ours = async (): Promise<number> => {
    const ms = await timeCommand(process.execPath, [main, "pull", "-f", manifest], { signal });
    await forget(lab, STOWAGE_NAMESPACE, signal);
    log(`stowage pull ${(ms / 1000).toFixed(1)} s`);
    return ms;
  };
  const theirs = async (): Promise<number> => {
    const args = lab.ctrArgs(CTR_NAMESPACE, "images", "pull", "--plain-http", reference);
    const ms = await timeCommand("ctr", args, { signal });
    await forget(lab, CTR_NAMESPACE, signal);
    log(`ctr images pull ${(ms / 1000).toFixed(1)} s`);
    return ms;
  };
  // what the registry reads is then in the page cache
  await ours();
  await theirs();
  const measured = await measurePairs(pairs, ours, theirs);
  return {
    figures: [
      {
        name: "pull / ctr images pull",
        value: medianRatio(measured),
        unit: "x",
        atMost: RATIO_MAX,
      },
      { name: "stowage pull", value: median(measured.map(({ oursMs }) => oursMs)), unit: "ms" },
      {
        name: "ctr images pull",
        value: median(measured.map(({ theirsMs }) => theirsMs)),
        unit: "ms",
      },
    ],
    notes: [
      "Registry, containerd and both clients on one machine; layers of noise, unpacked by both; nothing of the image there before.",
    ],
  };
}

function writeManifest({ dir, host }: ContainerdLab, image: string): string {
  const path = join(dir, "pull.json");
  const pods = { large: { containers: { main: { image, command: ["/none"] } } } };
  const fleet = {
    version: "stowage/v1",
    name: "pull",
    id: "stowage-bench",
    hosts: { bench: { ...host, pods } },
  };
  writeFileSync(path, JSON.stringify(fleet));
  return path;
}

/** Takes every image of a namespace away, with all that only they needed. */
async function forget(lab: ContainerdLab, namespace: string, signal: AbortSignal): Promise<void> {
  const listed = spawnSync("ctr", lab.ctrArgs(namespace, "images", "ls", "-q"), {
    encoding: "utf8",
  });
  const names = listed.stdout.split("\n").filter(Boolean);
  await timeCommand("ctr", lab.ctrArgs(namespace, "images", "rm", "--sync", ...names), { signal });
}
