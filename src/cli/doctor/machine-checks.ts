import type { EngineConfig } from "../../model/index.ts";
import { engineEntry, type NeededProgram } from "../engine-kinds.ts";
import { formatBytes } from "../text/quantities.ts";
import type { Check } from "./check.ts";
import type { MachineFacts } from "./machine-facts.ts";
import { neededPrograms } from "./needed-programs.ts";

const MIB = 1024 * 1024;
const FREE_BYTES_MIN = 200 * MIB;
const FREE_BYTES_WARN = 2048 * MIB;
/** Controllers that limits of CPU, memory and processes need. */
const CONTROLLERS = ["cpu", "cpuset", "memory", "pids"];
/** First kernel with all of cgroup version 2 that limits need. */
const KERNEL_MIN: readonly [number, number] = [5, 2];

/** What a machine has and lacks to be a host; on another system than Linux nothing else is checked. */
export function machineChecks(
  facts: MachineFacts,
  stateDir: string,
  engine: EngineConfig,
): readonly Check[] {
  if (facts.platform !== "linux") {
    return [
      {
        name: "system",
        status: "fail",
        finding: `${facts.platform === "darwin" ? "macOS" : facts.platform} cannot be a host`,
        remedy:
          'use a Linux machine for hosts with the address "local"; synth and validate work here',
      },
    ];
  }
  if (engine.kind === "sim")
    return [{ name: "system", status: "ok", finding: `Linux ${facts.kernel}` }];
  return [
    kernelCheck(facts),
    rootCheck(facts, engine),
    cgroupsCheck(facts),
    overlayCheck(facts),
    diskCheck(facts, stateDir),
    ...neededPrograms(engine).map((needed) => programCheck(facts, needed)),
  ];
}

function kernelCheck({ kernel }: MachineFacts): Check {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  const recent = major > KERNEL_MIN[0] || (major === KERNEL_MIN[0] && minor >= KERNEL_MIN[1]);
  if (recent) return { name: "system", status: "ok", finding: `Linux ${kernel}` };
  return {
    name: "system",
    status: "warn",
    finding: `Linux ${kernel} is older than ${KERNEL_MIN.join(".")}`,
    remedy: "some limits may not work; upgrade the kernel",
  };
}

function rootCheck({ uid }: MachineFacts, { kind }: EngineConfig): Check {
  if (uid === 0) return { name: "root", status: "ok", finding: "running as root" };
  const finding = `running as user ${uid ?? "unknown"}`;
  const { withoutRoot } = engineEntry(kind);
  if (withoutRoot !== undefined)
    return { name: "root", status: "warn", finding, remedy: withoutRoot };
  return {
    name: "root",
    status: "fail",
    finding,
    remedy: "the engine and Stowage's files on a host belong to root; run with sudo",
  };
}

function cgroupsCheck({ cgroups }: MachineFacts): Check {
  const { version, controllers } = cgroups;
  if (version === 0) {
    return {
      name: "cgroups",
      status: "fail",
      finding: "no cgroups are mounted",
      remedy: "mount them: mount -t cgroup2 none /sys/fs/cgroup",
    };
  }
  const missing = CONTROLLERS.filter((name) => !controllers.includes(name));
  const finding = `version ${version}`;
  if (missing.length === 0)
    return { name: "cgroups", status: "ok", finding: `${finding} with ${CONTROLLERS.join(", ")}` };
  return {
    name: "cgroups",
    status: "warn",
    finding: `${finding} without ${missing.join(", ")}`,
    remedy: `limits of ${missing.join(", ")} cannot be set; switch the controllers on at boot (cgroup_enable=${missing.join(",")})`,
  };
}

function overlayCheck({ filesystems }: MachineFacts): Check {
  if (filesystems.includes("overlay"))
    return { name: "overlayfs", status: "ok", finding: "the kernel has it" };
  return {
    name: "overlayfs",
    status: "warn",
    finding: "the kernel has not loaded it",
    remedy: "load it with modprobe overlay, or declare another snapshotter",
  };
}

function diskCheck({ freeBytes }: MachineFacts, stateDir: string): Check {
  if (freeBytes === undefined) {
    return {
      name: "disk",
      status: "warn",
      finding: `cannot tell the free space below ${stateDir}`,
      remedy: "check it with df",
    };
  }
  const finding = `${formatBytes(freeBytes)} free for ${stateDir}`;
  if (freeBytes >= FREE_BYTES_WARN) return { name: "disk", status: "ok", finding };
  const status = freeBytes < FREE_BYTES_MIN ? "fail" : "warn";
  return {
    name: "disk",
    status,
    finding,
    remedy: "images and logs need space; free some, or set stateDir to another disk",
  };
}

function programCheck({ programs }: MachineFacts, needed: NeededProgram): Check {
  const { name, purpose } = needed;
  const path = programs[name];
  if (path !== undefined) return { name, status: "ok", finding: path };
  const what = purpose === undefined ? "" : `${purpose}; `;
  const status = purpose === undefined ? "fail" : "warn";
  if (name.startsWith("/"))
    return {
      name,
      status,
      finding: "there is no program, or it is not executable",
      remedy: `${what}put it there, or declare another program`,
    };
  const where =
    needed.package === "none"
      ? "Debian has no package of it"
      : `Debian: apt-get install --no-install-recommends ${needed.package ?? name}`;
  return { name, status, finding: "not on PATH", remedy: `${what}install it (${where})` };
}
