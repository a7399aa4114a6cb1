import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import { privateContainerdPaths, SOCKET_PATH_MAX_BYTES } from "../private-containerd-config.ts";
import { PROJECT_ROOT } from "../project-root.ts";

/** Project that the quickstart shows. */
export const EXAMPLE = join(PROJECT_ROOT, "examples/hello-fleet");
/** What is made for it, none of it committed. */
export const EXAMPLE_FILES = join(EXAMPLE, ".stowage");

/** What one run leaves for the next. */
const Settings = z.object({
  /** Port of the page. */
  port: z.int(),
  /** Socket of the containerd that has the fleet. */
  socket: z.string(),
});
/** See the schema of the same name. */
export type Settings = z.infer<typeof Settings>;

/** Where the quickstart keeps what is its own; removed by `--down`. */
export interface QuickstartFolder {
  readonly dir: string;
  /** Of the private containerd. */
  readonly containerdDir: string;
  /** Records, volumes and logs of pods on the private containerd. */
  readonly stateDir: string;
  readonly runDir: string;
  /** Of the podman that the host moves to and back. */
  readonly podmanDir: string;
}

/** The user's cache folder, or one with a short name where a socket's path would become too long. */
export function quickstartFolder(env: NodeJS.ProcessEnv = process.env): QuickstartFolder {
  const given = env["XDG_CACHE_HOME"];
  const cache = given !== undefined && isAbsolute(given) ? given : join(homedir(), ".cache");
  const wanted = folderAt(join(cache, "stowage/quickstart"));
  const socket = privateContainerdPaths(wanted.containerdDir).address;
  if (Buffer.byteLength(socket) <= SOCKET_PATH_MAX_BYTES) return wanted;
  return folderAt(`/var/tmp/stowage-quickstart-${process.getuid?.() ?? 0}`);
}

/** What the last run chose; undefined when there was none, or it cannot be read. */
export function readSettings(folder: QuickstartFolder): Settings | undefined {
  try {
    return Settings.parse(JSON.parse(readFileSync(settingsFile(folder), "utf8")));
  } catch {
    return undefined;
  }
}

/** Keeps what this run chose. */
export function writeSettings(folder: QuickstartFolder, settings: Settings): void {
  mkdirSync(folder.dir, { recursive: true, mode: 0o700 });
  const temporary = `${settingsFile(folder)}.new`;
  writeFileSync(temporary, `${JSON.stringify(settings)}\n`, { mode: 0o600 });
  renameSync(temporary, settingsFile(folder));
}

function settingsFile({ dir }: QuickstartFolder): string {
  return join(dir, "settings.json");
}

function folderAt(dir: string): QuickstartFolder {
  const containerdDir = join(dir, "containerd");
  return {
    dir,
    containerdDir,
    stateDir: join(dir, "lib"),
    // what is mounted below the daemon's state goes with the daemon
    runDir: join(privateContainerdPaths(containerdDir).state, "stowage"),
    podmanDir: join(dir, "podman"),
  };
}
