import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StowageError } from "../../../src/errors/index.ts";
import { runCommand } from "../run-command.ts";

const MIRROR = "http://deb.debian.org/debian";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Downloads packages of a Debian suite with all that they depend on, down to the C library. apt works in
 * `dir` alone: neither the system's sources and lists nor what is installed is read or changed.
 *
 * @returns files of packages
 */
export async function downloadPackages(
  suite: string,
  packages: readonly string[],
  dir: string,
): Promise<readonly string[]> {
  for (const folder of ["state/lists/partial", "cache/archives/partial"])
    mkdirSync(join(dir, folder), { recursive: true });
  // no package is installed, so none is left out
  writeFileSync(join(dir, "status"), "");
  const source = `Types: deb\nURIs: ${MIRROR}\nSuites: ${suite}\nComponents: main\nSigned-By: ${KEYRING}\n`;
  writeFileSync(join(dir, "debian.sources"), source);
  const options = [
    ["Dir::Etc::SourceList", join(dir, "debian.sources")],
    ["Dir::Etc::SourceParts", "/dev/null"],
    ["Dir::Etc::Preferences", "/dev/null"],
    ["Dir::Etc::PreferencesParts", "/dev/null"],
    ["Dir::State", join(dir, "state")],
    ["Dir::State::Lists", join(dir, "state/lists")],
    ["Dir::State::Status", join(dir, "status")],
    ["Dir::Cache", join(dir, "cache")],
    ["APT::Sandbox::User", "root"],
    ["APT::Get::AllowUnauthenticated", "false"],
  ].flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await aptGet(suite, [...options, "-q", "update"]);
  const install = ["install", "--download-only", "--no-install-recommends", "--yes", ...packages];
  await aptGet(suite, [...options, "-q", ...install]);
  const archives = join(dir, "cache/archives");
  return readdirSync(archives)
    .filter((name) => name.endsWith(".deb"))
    .map((name) => join(archives, name));
}

async function aptGet(suite: string, args: readonly string[]): Promise<void> {
  const { exitCode, output } = await runCommand("apt-get", args, { output: "capture" });
  if (exitCode === 0) return;
  const said = output.trim().split("\n").slice(-5).join("\n");
  throw new StowageError(
    `Cannot download packages of Debian's suite "${suite}": apt-get ended with ${exitCode}; see that ${MIRROR} can be reached. It said:\n${said}`,
    { code: "unavailable" },
  );
}
