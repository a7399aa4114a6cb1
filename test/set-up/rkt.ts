import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOnPath } from "../../src/internal/index.ts";
import { buildRktDouble } from "../rkt-double/build.ts";
import type { Provided } from "./engine-provision.ts";

const PROGRAMS = ["flock", "setpriv", "unshare", "nsenter", "mount", "tar", "ip", "busybox"];

/** The rkt that `STOWAGE_RKT` names, else a double that is built for the run. */
export async function provideRkt(): Promise<Provided> {
  const given = process.env["STOWAGE_RKT"];
  if (given !== undefined && given !== "") {
    return { provision: { status: "ready", address: given, isDouble: false } };
  }
  const reason = whyNoDouble();
  if (reason !== undefined) return { provision: { status: "missing", reason } };
  const folder = mkdtempSync(join(tmpdir(), "stowage-rkt-double-"));
  // some commands of rkt are run by others than root
  chmodSync(folder, 0o755);
  const address = await buildRktDouble(folder);
  return {
    provision: { status: "ready", address, isDouble: true },
    end: async () => rmSync(folder, { recursive: true, force: true }),
  };
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
