import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { privatePodman } from "../../scripts/lib/private-podman.ts";
import { renderPlan } from "../../src/cli/render-plan.ts";
import { paintOf } from "../../src/cli/text/paint.ts";
import type { FleetManifest } from "../../src/model/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import type { RealEngine } from "../set-up/engine-provision.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RktLab } from "../support/engines/rkt-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

const MEBIBYTE = 1024 * 1024;
const spec = {
  volumes: { data: { kind: "named", name: "data" } },
  containers: {
    main: {
      image: "app:1",
      command: ["sleep", "100000"],
      stopSignal: "SIGKILL",
      resources: { memoryBytes: 64 * MEBIBYTE },
      mounts: [{ volume: "data", path: "/data" }],
    },
  },
};

/** The one container of the fleet, as it is harmed. */
interface Victim {
  readonly fleet: RealFleet;
  readonly id: string;
  readonly pid: number;
}

type Harm = (victim: Victim) => void;

const podman = ({ fleet }: Victim, ...args: readonly string[]): string =>
  privatePodman(join(fleet.folder, "podman"), String(fleet.host.engine["program"])).run(...args);

function rkt({ fleet }: Victim, ...args: readonly string[]): string {
  const [lab] = fleet.labs;
  if (!(lab instanceof RktLab)) throw new Error("not on rkt");
  return lab.rkt(...args);
}

/** What happens behind Stowage's back, how on each engine, and what of it a plan says; what is not here of containerd is in must-hold-containerd-plan. */
const LINES: readonly (readonly [string, RegExp, Partial<Readonly<Record<RealEngine, Harm>>>])[] = [
  ["its process is killed", /it was killed by signal 9/, { podman: killProcess, rkt: killProcess }],
  [
    "its container is deleted",
    /it is gone: somebody removed it from the engine/,
    { podman: (victim) => podman(victim, "rm", "--force", "--time", "0", victim.id) },
  ],
  [
    "its image is deleted",
    /import image docker\.io\/library\/app:1/,
    {
      podman: (victim) => {
        const names = podman(victim, "images", "--format", "{{.Repository}}:{{.Tag}}").split("\n");
        const own = names.filter((name) => name !== "" && !name.includes("podman-pause"));
        podman(victim, "untag", ...own.slice(0, 1));
      },
      rkt: (victim) => {
        const images = JSON.parse(rkt(victim, "image", "list", "--format=json")) as readonly {
          readonly id: string;
          readonly name: string;
        }[];
        const [own] = images.filter(({ name }) => !name.includes("stage1"));
        rkt(victim, "image", "rm", own?.id ?? "");
      },
    },
  ],
  [
    "its limits are changed",
    /containers\.main\.resources\.memoryBytes +48 MiB → 64 MiB .*found changed on the host/,
    { podman: writeLimit, rkt: writeLimit },
  ],
  ["it is paused", /it is paused/, { podman: (victim) => podman(victim, "pause", victim.id) }],
  [
    "its volume is deleted",
    /volumes\.data +its directory was deleted from the host, and what was in it is lost; it is made anew, empty/,
    { containerd: deleteVolume, podman: deleteVolume, rkt: deleteVolume },
  ],
];

function killProcess({ pid }: Victim): void {
  process.kill(pid, "SIGKILL");
}

function deleteVolume({ fleet }: Victim): void {
  const path = join(fleet.host.stateDir, "owner-1/shop/.volumes/data");
  expect(existsSync(path)).toBe(true);
  rmSync(path, { recursive: true });
}

function writeLimit({ pid }: Victim): void {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
  const path = (controller: string) =>
    lines.find((line) => line.split(":")[1] === controller)?.split(":")[2];
  const v1 = path("memory");
  const file =
    v1 === undefined
      ? `/sys/fs/cgroup${path("")}/memory.max`
      : `/sys/fs/cgroup/memory${v1}/memory.limit_in_bytes`;
  writeFileSync(file, String(48 * MEBIBYTE));
}

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `drift on ${kind}`, (engine) => {
    let fleet: RealFleet;
    let manifest: FleetManifest;

    beforeAll(async () => {
      fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
      fleet.image("app:1");
      manifest = fleet.manifest({ db: spec });
      await converge();
    });
    afterAll(() => fleet[Symbol.asyncDispose]());

    async function converge(): Promise<void> {
      const { outcomes } = await fleet.apply(manifest);
      expect(outcomes.filter(({ status }) => status !== "done")).toEqual([]);
      const { pods, hostChanges } = await fleet.plan(manifest);
      expect([...pods, ...hostChanges]).toEqual([]);
    }

    async function said(): Promise<string> {
      const made = await fleet.plan(manifest);
      return renderPlan(made, { paint: paintOf(false), columns: undefined, now: new Date() });
    }

    const lines = LINES.flatMap(([what, sentence, harms]) => {
      const harm = harms[kind];
      return harm === undefined ? [] : [[what, sentence, harm] as const];
    });

    test.each(lines)(
      "said in a sentence by plan, and mended by apply: %s",
      async (_, sentence, harm) => {
        await using reading = await fleet.connect().read("here", manifest.hosts["here"] as never);
        const container = (await reading.engine.observe()).pods[0]?.containers["main"];
        harm({ fleet, id: container?.id ?? "", pid: container?.pid ?? 0 });
        await expect.poll(said, { timeout: 30_000, interval: 100 }).toMatch(sentence);
        await converge();
        expect(await fleet.pidOf(manifest, "db", "main")).toBeGreaterThan(0);
      },
    );
  });
}
