import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOnPath } from "../../../src/internal/index.ts";
import { buildRktDouble } from "../../../test/rkt-double/build.ts";
import type { RealEngine } from "../../../test/set-up/engine-provision.ts";
import { openLab } from "../../../test/support/engines/open-lab.ts";
import { RealFleet } from "../../../test/support/real-fleet.ts";
import { startPrivateContainerd, stopPrivateContainerd } from "../private-containerd.ts";
import { type Measure, measure } from "./measure.ts";
import { SoakStory } from "./story.ts";
import { judge, type Verdict } from "./verdict.ts";

/** How an engine is soaked. */
export interface SoakOptions {
  readonly engine: RealEngine;
  readonly minutes: number;
  readonly pods: number;
}

/** Of the whole time, what is not judged: caches fill, allocators grow. */
const WARM_UP = 0.2;
/** Measurements after the warm-up. */
const MEASURED = 8;

/** Soaks one engine, and tells what becomes of it. */
export async function runSoak({ engine, minutes, pods }: SoakOptions): Promise<Verdict> {
  const home = mkdtempSync(join(tmpdir(), "e-"));
  const address = await provide(engine, home);
  const fleet = new RealFleet((places) => [openLab(engine, { address, isDouble: false }, places)]);
  const story = await SoakStory.open(fleet, pods);
  try {
    const folders = ["/run", "/dev/shm", tmpdir()];
    const startedAt = Date.now();
    const until = async (part: number): Promise<Measure> => {
      do await story.turn();
      while (Date.now() - startedAt < part * minutes * 60_000);
      await story.rest();
      const found = measure(folders, story.cgroups);
      tell(story, found, Date.now() - startedAt);
      return found;
    };
    await until(WARM_UP);
    const all: Measure[] = [];
    for (let nth = 1; nth <= MEASURED; nth += 1)
      all.push(await until(WARM_UP + ((1 - WARM_UP) * nth) / MEASURED));
    const third = Math.ceil(MEASURED / 3);
    return judge(all.slice(0, third), all.slice(-third));
  } finally {
    await story[Symbol.asyncDispose]();
    if (engine === "containerd") await stopPrivateContainerd(home);
  }
}

async function provide(engine: RealEngine, home: string): Promise<string> {
  if (engine === "containerd") return (await startPrivateContainerd({ dir: home })).address;
  if (engine === "podman") return findOnPath("podman") ?? "podman";
  const given = process.env["STOWAGE_RKT"] ?? "";
  mkdirSync(home, { recursive: true, mode: 0o755 });
  return given === "" ? await buildRktDouble(home) : given;
}

function tell(story: SoakStory, { memory, things }: Measure, ms: number): void {
  const numbers = [
    ...Object.entries(memory).map(
      ([name, bytes]) => `${name} ${(bytes / 1024 / 1024).toFixed(0)}M`,
    ),
    ...Object.entries(things).map(([name, all]) => `${name} ${all.length}`),
  ];
  const at = `${(ms / 60_000).toFixed(1)} min, ${story.turns} turns, ${story.kills} kills`;
  console.log(`${at}: ${numbers.join(", ")}`);
}
