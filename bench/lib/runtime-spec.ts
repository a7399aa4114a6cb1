import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

/** What is read of an OCI runtime spec. */
export interface RuntimeSpec {
  readonly process: {
    readonly cwd: string;
    readonly args?: readonly string[];
    readonly env?: readonly string[];
    readonly capabilities?: unknown;
    readonly rlimits?: unknown;
    readonly noNewPrivileges?: boolean;
    readonly user?: unknown;
  };
  readonly mounts: readonly {
    readonly destination: string;
    readonly type?: string;
    readonly source?: string;
    readonly options?: readonly string[];
  }[];
  readonly linux: {
    readonly namespaces?: unknown;
    readonly maskedPaths?: unknown;
    readonly readonlyPaths?: unknown;
    readonly seccomp?: unknown;
    readonly resources?: unknown;
    readonly devices?: unknown;
  };
}

/** Mounts that `ctr run` makes without being told. */
const CTR_MOUNTS = new Set([
  "/proc",
  "/dev",
  "/dev/pts",
  "/dev/shm",
  "/dev/mqueue",
  "/sys",
  "/run",
]);

/** Flags that let `ctr run` make the same spec; the filter of system calls goes by a file in `dir`. */
export function runFlags(spec: RuntimeSpec, dir: string): string[] {
  const seccomp = join(dir, "seccomp.json");
  writeFileSync(seccomp, JSON.stringify(spec.linux.seccomp));
  const mounts = spec.mounts
    .filter(({ destination }) => !CTR_MOUNTS.has(destination))
    .flatMap(({ destination, type = "bind", source = "", options = [] }) => [
      "--mount",
      `type=${type},src=${source},dst=${destination},options=${options.join(":")}`,
    ]);
  return ["--seccomp", "--seccomp-profile", seccomp, "--cwd", spec.process.cwd, ...mounts];
}

/** Parts of two specs that are the same, and what each has in the others alone. */
export function compareSpecs(
  ours: RuntimeSpec,
  theirs: RuntimeSpec,
): { readonly same: readonly string[]; readonly different: readonly string[] } {
  const others = partsOf(theirs);
  const same: string[] = [];
  const different: string[] = [];
  for (const [name, part] of Object.entries(partsOf(ours))) {
    const other = others[name];
    if (isDeepStrictEqual(part, other)) same.push(name);
    else different.push(`${name} (ours ${only(part, other)}, ctr ${only(other, part)})`);
  }
  return { same, different };
}

/** What of a part is not in the other. */
function only(part: unknown, other: unknown): string {
  if (!Array.isArray(part)) return part === undefined ? "none" : JSON.stringify(part);
  const there = new Set((Array.isArray(other) ? other : []).map((each) => JSON.stringify(each)));
  const alone = part.map((each) => JSON.stringify(each)).filter((text) => !there.has(text));
  return alone.length === 0 ? "nothing more" : `also ${alone.join(" ")}`;
}

function partsOf({ process, mounts, linux }: RuntimeSpec): Readonly<Record<string, unknown>> {
  return {
    command: process.args,
    environment: process.env?.toSorted(),
    user: process.user,
    capabilities: sorted(process.capabilities),
    "no new privileges": process.noNewPrivileges,
    rlimits: process.rlimits,
    mounts: mounts.map(({ destination }) => destination).toSorted(),
    namespaces: sorted(linux.namespaces),
    "masked paths": sorted(linux.maskedPaths),
    "read-only paths": sorted(linux.readonlyPaths),
    seccomp: linux.seccomp,
    devices: linux.devices,
  };
}

/** The same with every list in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).toSorted((a, b) => compareText(a, b));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, sorted(each)]));
}

function compareText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
