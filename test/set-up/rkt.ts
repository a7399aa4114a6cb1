import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { findOnPath } from "../../scripts/lib/find-on-path.ts";
import { buildRktDouble } from "../rkt-double/build.ts";
import type { RktProvision } from "./rkt-provision.ts";

/** One double for all projects of a run: vitest calls this set-up once a project, in one process. */
const SHARED = Symbol.for("stowage.test.rkt");
type Shared = { [SHARED]?: Promise<Built> };

interface Built {
  readonly provision: RktProvision;
  readonly folder?: string;
}

const PROGRAMS = ["flock", "setpriv", "unshare", "nsenter", "mount", "tar", "ip", "busybox"];

/** Gives the tests of a project the rkt of `STOWAGE_RKT`, else a double that is built for the run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = globalThis as Shared;
  shared[SHARED] ??= provideRkt();
  project.provide("rkt", (await shared[SHARED]).provision);
  return async () => {
    const { folder } = (await shared[SHARED]) ?? {};
    delete shared[SHARED];
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
}

async function provideRkt(): Promise<Built> {
  const given = process.env["STOWAGE_RKT"];
  if (given !== undefined && given !== "") {
    return { provision: { status: "ready", program: given, isDouble: false } };
  }
  const reason = whyNoDouble();
  if (reason !== undefined) return { provision: { status: "missing", reason } };
  const folder = mkdtempSync(join(tmpdir(), "stowage-rkt-double-"));
  // some commands of rkt are run by others than root
  chmodSync(folder, 0o755);
  const program = await buildRktDouble(folder);
  return { provision: { status: "ready", program, isDouble: true }, folder };
}

function whyNoDouble(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "the tests do not run as root";
  const missing = PROGRAMS.filter((name) => findOnPath(name) === undefined);
  if (missing.length > 0)
    return `${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} missing`;
  const { status } = spawnSync("unshare", ["--mount", "--pid", "--fork", "true"]);
  return status === 0 ? undefined : "this process may make no namespaces";
}
