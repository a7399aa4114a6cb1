import { StowageError } from "../../../errors/index.ts";
import { type Host, LOG_WRITER_NAME, LOG_WRITER_SCRIPT } from "../../../host/index.ts";
import { type HostDirectories, isNetworked, type Network } from "../../../model/index.ts";
import type { FileMounts } from "../spec/mounts.ts";

const HOSTS = "127.0.0.1\\tlocalhost\\n::1\\tlocalhost ip6-localhost ip6-loopback\\n";

type NetworkMode = Network["mode"];

/** Files about the host's own network. */
const OF_HOST: readonly string[] = ["/etc/hosts", "/etc/resolv.conf"];

/** File of the program that writes output. */
export function logWriterPath({ runDir }: HostDirectories): string {
  return `${runDir}/bin/${LOG_WRITER_NAME}`;
}

/**
 * Files that containers need of the host beside their own: the program that writes output, and what
 * is known of the network. In the host's network that is the host's; else a loopback and no name
 * server, which is the same for every pod. What is ours is made once a boot.
 *
 * @param given those of a network that the engine did not make
 * @returns files about the network, by their path in the container
 */
export async function ensureHostFiles(
  host: Host,
  directories: HostDirectories,
  mode: NetworkMode,
  given: FileMounts = {},
): Promise<FileMounts> {
  const directory = `${directories.runDir}/etc`;
  const ours = {
    "/etc/hosts": `${directory}/hosts`,
    "/etc/resolv.conf": `${directory}/resolv.conf`,
  };
  const script = logWriterPath(directories);
  const { existing } = await host.snapshot({ exist: [...OF_HOST, ...Object.values(ours), script] });
  if (!existing.has(script)) await host.createFile(script, LOG_WRITER_SCRIPT);
  if (isNetworked({ network: { mode } })) return given;
  if (mode === "host") {
    const found = OF_HOST.filter((path) => existing.has(path));
    return Object.fromEntries(found.map((path) => [path, path]));
  }
  if (!Object.values(ours).every((path) => existing.has(path))) await makeFiles(host, directory);
  return ours;
}

async function makeFiles(host: Host, directory: string): Promise<void> {
  // readable for all: processes that are not root's look in them too
  const script = [
    "set -e; umask 022",
    'mkdir -p "$1"',
    `printf '${HOSTS}' >"$1/.hosts.$$" && mv -f "$1/.hosts.$$" "$1/hosts"`,
    ': >"$1/.resolv.$$" && mv -f "$1/.resolv.$$" "$1/resolv.conf"',
  ].join("\n");
  const { exitCode, stderr } = await host.run(["sh", "-c", script, "sh", directory]);
  if (exitCode === 0) return;
  throw new StowageError(`Cannot make files in directory "${directory}": ${stderr.trim()}`, {
    code: "failed_precondition",
    context: { directory },
  });
}
