import { dirname, isAbsolute } from "node:path/posix";
import type { HostReader } from "../../../host/index.ts";

/** Where a containerd keeps what outlives it (`root`) and what a reboot ends (`state`). */
export interface DaemonDirectories {
  readonly root: string;
  readonly state: string;
}

const DEFAULTS: DaemonDirectories = { root: "/var/lib/containerd", state: "/run/containerd" };
const DEFAULT_CONFIG = "/etc/containerd/config.toml";
const UNIX_SOCKETS = "/proc/net/unix";

/**
 * Where the daemon that listens on a socket keeps what. No call of its API says so: its process is
 * looked for by the socket, and asked by its arguments and its configuration.
 *
 * @returns undefined when its process is not known and its socket is not in the usual place
 */
export async function findDaemonDirectories(
  host: HostReader,
  socketPath: string,
): Promise<DaemonDirectories | undefined> {
  const usual = dirname(withoutLink(socketPath)) === DEFAULTS.state ? DEFAULTS : undefined;
  const { files } = await host.snapshot({ files: [UNIX_SOCKETS] });
  const inode = listeningInode(text(files, UNIX_SOCKETS), socketPath);
  if (inode === undefined) return usual;
  const pid = (await host.holders([inode])).get(inode)?.pid;
  if (pid === undefined) return usual;
  const argvFile = `/proc/${pid}/cmdline`;
  const argv = text((await host.snapshot({ files: [argvFile] })).files, argvFile).split("\0");
  const config = option(argv, ["--config", "-c"]) ?? DEFAULT_CONFIG;
  const toml = text((await host.snapshot({ files: [config] })).files, config);
  const directory = (name: keyof DaemonDirectories): string => {
    const said = option(argv, [`--${name}`]) ?? topLevelString(toml, name);
    return said !== undefined && isAbsolute(said) ? said : DEFAULTS[name];
  };
  return { root: directory("root"), state: directory("state") };
}

/** The state directory of the daemon whose tasks' file systems are mounted, by a text of /proc/self/mountinfo. */
export function stateOfMounts(
  mountinfo: string | Error | undefined,
  ids: ReadonlySet<string>,
): string | undefined {
  if (typeof mountinfo !== "string") return undefined;
  for (const line of mountinfo.split("\n")) {
    const path = line.split(" ")[4] ?? "";
    const [, state, id = ""] =
      /^(\S+)\/io\.containerd\.runtime\.v2\.task\/[^/]+\/([^/]+)\/rootfs$/.exec(path) ?? [];
    if (ids.has(id)) return state;
  }
  return undefined;
}

/** Inode of the socket that is listened on at a path, by a text of /proc/net/unix. */
export function listeningInode(table: string, socketPath: string): number | undefined {
  for (const line of table.split("\n")) {
    const [, , , flags, , , inode, ...path] = line.trim().split(/\s+/);
    // __SO_ACCEPTCON: connections to it have the path too
    if (
      isSameSocket(path.join(" "), socketPath) &&
      (Number.parseInt(flags ?? "", 16) & 0x10000) !== 0
    )
      return Number(inode);
  }
  return undefined;
}

/** Whether two names are of one socket: many declare it below /var/run, which is a link to /run. */
export function isSameSocket(one: string, other: string): boolean {
  return withoutLink(one) === withoutLink(other);
}

function withoutLink(path: string): string {
  return path.replace(/^\/var\/run\//, "/run/");
}

/** A string at the top of a TOML document, before its first table. */
export function topLevelString(toml: string, key: string): string | undefined {
  const top = toml.split(/^\s*\[/m)[0] ?? "";
  return new RegExp(`^\\s*${key}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, "m")
    .exec(top)
    ?.slice(1)
    .find((each) => each !== undefined);
}

function option(argv: readonly string[], names: readonly string[]): string | undefined {
  for (const [at, word] of argv.entries()) {
    if (names.includes(word)) return argv[at + 1];
    const name = names.find((each) => word.startsWith(`${each}=`));
    if (name !== undefined) return word.slice(name.length + 1);
  }
  return undefined;
}

function text(files: ReadonlyMap<string, string | Error>, path: string): string {
  const found = files.get(path);
  return typeof found === "string" ? found : "";
}
