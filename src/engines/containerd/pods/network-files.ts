import { StowageError } from "../../../errors/index.ts";
import type { Host } from "../../../host/index.ts";
import type { FileMounts } from "../spec/mounts.ts";
import type { PodContext } from "./pod-context.ts";

const HOSTS = "127.0.0.1\\tlocalhost\\n::1\\tlocalhost ip6-localhost ip6-loopback\\n";

/** Files of the host that its own network needs. */
const OF_HOST = ["/etc/hosts", "/etc/resolv.conf"];

/**
 * Files about the network seen in a container: the host's own in the host's network; else ones that
 * know of a loopback and no name server. Those are the same for every pod, and made once a boot.
 */
export async function networkFiles(
  { host, directories }: Pick<PodContext, "host" | "directories">,
  mode: "none" | "host",
): Promise<FileMounts> {
  const directory = `${directories.runDir}/etc`;
  const ours = { "/etc/hosts": `${directory}/hosts`, "/etc/resolv.conf": `${directory}/resolv.conf` };
  const { existing } = await host.snapshot({ exist: mode === "host" ? OF_HOST : Object.values(ours) });
  if (mode === "host") return Object.fromEntries([...existing].map((path) => [path, path]));
  if (existing.size < 2) await makeFiles(host, directory);
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
