import type { TestProject } from "vitest/node";
import {
  stopPrivateContainerd,
  whyNoPrivateContainerd,
} from "../../scripts/lib/private-containerd.ts";
import { startTemporaryContainerd } from "../../scripts/lib/temporary-containerd.ts";
import { findOnPath } from "../../src/internal/index.ts";
import type { EngineProvision, Provided, RealEngine } from "./engine-provision.ts";
import { provideRkt } from "./rkt.ts";

/** How each engine comes to be there. */
const PROVIDERS: Readonly<Record<RealEngine, () => Promise<Provided>>> = {
  containerd: provideContainerd,
  podman: providePodman,
  rkt: provideRkt,
};

/** One of each for all projects of a run: vitest calls this set-up once a project, in one process. */
const SHARED = Symbol.for("stowage.test.engines");
type Shared = { [SHARED]?: Promise<ReadonlyMap<string, Provided>> };

/** Gives the tests of a project each engine, or the reason why there is none. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = globalThis as Shared;
  shared[SHARED] ??= provideAll();
  const provided = await shared[SHARED];
  project.provide(
    "engines",
    Object.fromEntries([...provided].map(([kind, { provision }]) => [kind, provision])) as Record<
      RealEngine,
      EngineProvision
    >,
  );
  return async () => {
    const ending = await shared[SHARED];
    delete shared[SHARED];
    for (const { end } of ending?.values() ?? []) await end?.();
  };
}

async function provideAll(): Promise<ReadonlyMap<string, Provided>> {
  const all = Object.entries(PROVIDERS).map(
    async ([kind, provide]): Promise<[string, Provided]> => [kind, await provide()],
  );
  return new Map(await Promise.all(all));
}

async function provideContainerd(): Promise<Provided> {
  const given = process.env["STOWAGE_TEST_CONTAINERD_ADDRESS"];
  if (given !== undefined && given !== "")
    return { provision: { status: "ready", address: given } };
  const reason = whyNoPrivateContainerd();
  if (reason !== undefined) return { provision: { status: "missing", reason } };
  const { address, dir } = await startTemporaryContainerd();
  return {
    provision: { status: "ready", address },
    end: async () => await stopPrivateContainerd(dir),
  };
}

/** podman has no daemon: every test gives it a store of its own. */
async function providePodman(): Promise<Provided> {
  const given = process.env["STOWAGE_TEST_PODMAN"];
  const address = given === undefined || given === "" ? findOnPath("podman") : given;
  if (address === undefined) {
    return { provision: { status: "missing", reason: "podman is not on PATH" } };
  }
  return { provision: { status: "ready", address } };
}
