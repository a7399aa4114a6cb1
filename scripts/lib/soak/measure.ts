import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** What there is at one moment of a soak. */
export interface Measure {
  /** Bytes. */
  readonly memory: Readonly<Record<string, number>>;
  /** Names of everything that can be left, by sort; of what has another name each time only the sort of name. */
  readonly things: Readonly<Record<string, readonly string[]>>;
}

/** Folders of roots of file systems: what is in them is the containers'. */
const ROOTS = new Set(["fs", "work", "diff", "merged", "rootfs", "tmp-mount"]);

/** A file of which a host has one, from the hour on in which the one before it is full. */
const TURNED_OVER = "audit.log.1";

/** Looks at the machine from within. @param folders where files are counted @param seen cgroups that were used */
export function measure(folders: readonly string[], seen: ReadonlySet<string>): Measure {
  globalThis.gc?.();
  globalThis.gc?.();
  const processes = processTable();
  const daemons = processes.filter(({ name }) => name === "containerd");
  const engine = daemons.reduce((sum, { pid }) => sum + residentBytes(pid), 0);
  const { heapUsed, rss } = process.memoryUsage();
  return {
    memory: {
      "our heap": heapUsed,
      "our memory": rss,
      ...(daemons.length === 0 ? {} : { "the engine's memory": engine }),
    },
    things: {
      processes: processes.map(({ name }) => name),
      mounts: lines("/proc/self/mountinfo").map((line) => plain(line.split(" ")[4] ?? "")),
      namespaces: [...new Set(processes.flatMap(({ pid }) => namespacesOf(pid)))].map(
        (name) => name.split(":")[0] ?? "",
      ),
      rules: command("iptables-save")
        .filter((line) => line.startsWith("-A") || line.startsWith(":"))
        .map((line) => plain(line.replace(/\[\d+:\d+\]/, ""))),
      interfaces: command("ip", "-o", "link").map((line) => plain(line.split(" ")[1] ?? "")),
      cgroups: [...seen].filter((path) => existsSync(path)).map(plain),
      "our descriptors": descriptorsOf("self"),
      "the engine's descriptors": daemons.flatMap(({ pid }) => descriptorsOf(String(pid))),
      files: folders.flatMap((folder) => filesBelow(folder)).map(plain),
    },
  };
}

/** Cgroups of all that runs in here. */
export function cgroupsInUse(): readonly string[] {
  return processTable().flatMap(({ pid }) =>
    lines(`/proc/${pid}/cgroup`).flatMap((line) => {
      const [, controllers = "", path = "/"] = line.split(":");
      if (path === "/") return [];
      if (controllers === "") return [`/sys/fs/cgroup${path}`, `/sys/fs/cgroup/unified${path}`];
      return [`/sys/fs/cgroup/${controllers.replace("name=", "")}${path}`];
    }),
  );
}

function processTable(): readonly { readonly pid: number; readonly name: string }[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const [name] = lines(`/proc/${pid}/comm`);
    return name === undefined ? [] : [{ pid: Number(pid), name }];
  });
}

function namespacesOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/ns`;
  return entries(folder).flatMap((name) => linkOf(join(folder, name)) ?? []);
}

/** What a process has open, by its sort: files by their place. */
function descriptorsOf(pid: string): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return entries(folder).flatMap((name) => {
    const target = linkOf(join(folder, name));
    // the one by which the folder itself is read
    return target === undefined || target.endsWith("/fd") ? [] : [plain(target)];
  });
}

function residentBytes(pid: number): number {
  const line = lines(`/proc/${pid}/status`).find((each) => each.startsWith("VmRSS:"));
  return Number(/\d+/.exec(line ?? "")?.[0] ?? 0) * 1024;
}

function filesBelow(folder: string): readonly string[] {
  return readdirSafely(folder).flatMap((entry) => {
    if (entry.name === TURNED_OVER) return [];
    const path = join(folder, entry.name);
    const inside = entry.isDirectory() && !ROOTS.has(entry.name) ? filesBelow(path) : [];
    return [path, ...inside];
  });
}

/** A name without what is another one each time: hashes, ids, numbers of generations. */
function plain(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12,}|[A-Z2-7]{26}|[a-z2-7]{26}/g, "*")
    .replaceAll(/\b10(?:\.\d+){3}\b|\d+/g, "#")
    .replaceAll(/stw-[a-z0-9#*-]+/g, "stw-*");
}

function command(...words: readonly [string, ...string[]]): readonly string[] {
  const [program, ...args] = words;
  return execFileSync(program, args, { encoding: "utf8" }).split("\n").filter(Boolean);
}

function lines(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readdirSafely(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
