import type { TestProject } from "vitest/node";
import {
  stopPrivateContainerd,
  whyNoPrivateContainerd,
} from "../../scripts/lib/private-containerd.ts";
import { startTemporaryContainerd } from "../../scripts/lib/temporary-containerd.ts";
import type { ContainerdProvision } from "./containerd-provision.ts";

/** One daemon for all projects of a run: vitest calls this set-up once a project, in one process. */
const SHARED = Symbol.for("stowage.test.containerd");
type Shared = { [SHARED]?: Promise<ContainerdProvision> };

/** Gives the tests of a project a containerd of their own, or the reason why there is none. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = globalThis as Shared;
  shared[SHARED] ??= provideContainerd();
  project.provide("containerd", await shared[SHARED]);
  return async () => {
    const provision = await shared[SHARED];
    delete shared[SHARED];
    if (provision?.status === "ready" && provision.dir !== undefined) {
      await stopPrivateContainerd(provision.dir);
    }
  };
}

async function provideContainerd(): Promise<ContainerdProvision> {
  const given = process.env["STOWAGE_TEST_CONTAINERD_ADDRESS"];
  if (given !== undefined && given !== "") return { status: "ready", address: given };
  const reason = whyNoPrivateContainerd();
  if (reason !== undefined) return { status: "missing", reason };
  const { address, dir } = await startTemporaryContainerd();
  return { status: "ready", address, dir };
}
