import type { Host } from "../../../host/index.ts";
import type { PodmanSettings } from "../podman-settings.ts";

/** What has to be known of the user that podman runs as, and of what its administrator configured. */
export interface MachineFacts {
  /** Environment that podman needs of its user. */
  readonly env: Readonly<Record<string, string>>;
  /** Where podman keeps containers and images. */
  readonly graphRoot: string;
  /** Whether it looks for images elsewhere as well. */
  readonly hasOtherStores: boolean;
  /**
   * Limits of processes that podman has to be given, where its own default cannot be set: raising them
   * needs a right that this user does not have.
   */
  readonly ulimits: readonly string[];
  /** Whether podman runs as root, which a network of the fleet needs. */
  readonly isRoot: boolean;
  /** Whether podman can limit what containers use: without root it needs cgroups of version 2. */
  readonly canLimit: boolean;
  /** Whether podman finds the program that holds a pod's namespaces, or is told to do without. */
  readonly canHoldPods: boolean;
  /** The system's containers.conf, where the limits have to be written into a copy of it. */
  readonly containersConf: string;
  /** As `uname -m` says it; undefined where the kernel is older than 6.1. */
  readonly architecture: string | undefined;
}

const STORAGE_CONFS = ["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"];
/** Stores of images that somebody else writes, or one for images alone. */
const OTHER_STORES = /^\s*(?:additionalimagestores\s*=\s*\[[^\]]*["']|imagestore\s*=\s*["'][^"'])/m;
const CONTAINERS_CONF = "/etc/containers/containers.conf";
const ARCHITECTURE = "/proc/sys/kernel/arch";
const CAP_SYS_RESOURCE = 24n;

/** Where podman looks for programs that help it. */
const HELPER_DIRS = [
  ...["/usr/local/libexec/podman", "/usr/local/lib/podman"],
  ...["/usr/libexec/podman", "/usr/lib/podman", "/usr/libexec/catatonit"],
  ...["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"],
];

const HELPERS = HELPER_DIRS.map((dir) => `${dir}/catatonit`);

/** There where version 2 of cgroups is all that there is. */
const CGROUPS_V2 = "/sys/fs/cgroup/cgroup.controllers";

/** Limits that podman sets when nobody says anything: their names in /proc and what it sets. */
const DEFAULT_LIMITS = [
  { name: "nofile", title: "Max open files", value: 1_048_576 },
  { name: "nproc", title: "Max processes", value: 32_768 },
] as const;

/** Looks at the machine; runs nothing. */
export async function readMachineFacts(
  host: Host,
  settings: PodmanSettings,
): Promise<MachineFacts> {
  const { files, existing } = await host.snapshot({
    exist: [...HELPERS, CGROUPS_V2],
    files: [
      "/proc/self/status",
      "/proc/self/limits",
      "/etc/passwd",
      CONTAINERS_CONF,
      ...STORAGE_CONFS,
      ARCHITECTURE,
    ],
  });
  const text = (path: string): string => {
    const found = files.get(path);
    return typeof found === "string" ? found : "";
  };
  const status = text("/proc/self/status");
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? "0";
  const home = homeOf(text("/etc/passwd"), uid);
  const containersConf = text(CONTAINERS_CONF);
  const storageConf = STORAGE_CONFS.map(text).find((found) => found !== "") ?? "";
  return {
    env: uid === "0" ? {} : { HOME: home, XDG_RUNTIME_DIR: `/run/user/${uid}` },
    graphRoot: settings.root ?? graphRootOf(storageConf, uid, home),
    hasOtherStores: OTHER_STORES.test(storageConf),
    isRoot: uid === "0",
    canLimit: uid === "0" || existing.has(CGROUPS_V2),
    canHoldPods: HELPERS.some((path) => existing.has(path)) || hasOwnInfra(containersConf),
    ulimits: ulimitsOf(status, text("/proc/self/limits"), containersConf, uid),
    containersConf,
    architecture: text(ARCHITECTURE).trim() || undefined,
  };
}

/** Whether a configuration says where helpers are, or what holds pods: then podman has to be asked. */
function hasOwnInfra(containersConf: string): boolean {
  return /^\s*(?:helper_binaries_dir|infra_image|infra_command)\s*=/m.test(containersConf);
}

function homeOf(passwd: string, uid: string): string {
  const entry = passwd.split("\n").find((line) => line.split(":")[2] === uid);
  return entry?.split(":")[5] ?? "/root";
}

/** Where podman keeps its store when no flag says so. */
export function graphRootOf(storageConf: string, uid: string, home: string): string {
  const key = uid === "0" ? "graphroot" : "rootless_storage_path";
  const set = new RegExp(`^\\s*${key}\\s*=\\s*["']([^"']+)["']`, "m").exec(storageConf)?.[1];
  if (set !== undefined) return set.replaceAll("$HOME", home).replaceAll("$UID", uid);
  return uid === "0" ? "/var/lib/containers/storage" : `${home}/.local/share/containers/storage`;
}

/** Limits to name, so that podman does not try to raise them: none where it may, or where its user set some. */
export function ulimitsOf(
  status: string,
  limits: string,
  containersConf: string,
  uid: string,
): readonly string[] {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  // without root podman keeps to what it may by itself
  if (uid !== "0" || ((mask >> CAP_SYS_RESOURCE) & 1n) === 1n) return [];
  if (/^\s*default_ulimits\s*=/m.test(containersConf)) return [];
  return DEFAULT_LIMITS.map(({ name, title, value }) => {
    const hard = new RegExp(`^${title}\\s+\\S+\\s+(\\S+)`, "m").exec(limits)?.[1] ?? "";
    const most = /^\d+$/.test(hard) ? Math.min(Number(hard), value) : value;
    return `${name}=${most}:${most}`;
  });
}

/** The text of a containers.conf with limits that containers get when nobody says anything. */
export function withDefaultUlimits(containersConf: string, ulimits: readonly string[]): string {
  const line = `default_ulimits = ${JSON.stringify(ulimits)}\n`;
  const header = /^\s*\[containers\][^\n]*\n/m;
  return header.test(containersConf)
    ? containersConf.replace(header, (found) => `${found}${line}`)
    : `${containersConf === "" ? "" : `${containersConf.trimEnd()}\n`}[containers]\n${line}`;
}
