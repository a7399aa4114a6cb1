import { existsSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { findOnPath } from "../../src/internal/index.ts";
import { runCommand } from "./run-command.ts";
import { withoutServiceStarts } from "./service-guard.ts";

/** A Debian package, and what of it is looked for before it is installed. */
interface SystemPackage {
  readonly name: string;
  /** Programs on PATH, or absolute paths of files. */
  readonly brings: readonly string[];
  readonly purpose: string;
}

/** Schema of a container's configuration by the OCI runtime specification; those that it refers to lie beside it. */
export const OCI_SCHEMA =
  "/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema/config-schema.json";

const PACKAGES: readonly SystemPackage[] = [
  { name: "containerd", brings: ["containerd", "ctr"], purpose: "the engine with a daemon" },
  { name: "runc", brings: ["runc"], purpose: "what both engines start containers with" },
  { name: "podman", brings: ["podman", "conmon"], purpose: "the engine without a daemon" },
  { name: "catatonit", brings: ["catatonit"], purpose: "what podman holds pods together with" },
  { name: "busybox-static", brings: ["busybox"], purpose: "the one program of the test image" },
  {
    name: "docker-registry",
    brings: ["docker-registry"],
    purpose: "the registry that tests pull from",
  },
  {
    name: "systemd",
    brings: ["/lib/systemd/systemd", "systemctl"],
    purpose: "units of containers, and what starts at boot",
  },
  { name: "iproute2", brings: ["ip"], purpose: "network namespaces" },
  { name: "iptables", brings: ["iptables-restore"], purpose: "ports of networks" },
  { name: "openssh-client", brings: ["ssh", "ssh-keygen"], purpose: "the way to other hosts" },
  { name: "openssh-server", brings: ["sshd"], purpose: "what test hosts are reached by" },
  { name: "sudo", brings: ["sudo"], purpose: "what users of test hosts become root by" },
  {
    name: "containernetworking-plugins",
    brings: ["/usr/lib/cni/portmap"],
    purpose: "networks by a CNI configuration of the host's own",
  },
  {
    name: "golang-github-opencontainers-specs-dev",
    brings: [OCI_SCHEMA],
    purpose: "the JSON schema that tests hold runtime specs against",
  },
];

const INSTALL_ARGS = ["install", "-y", "--no-remove", "--no-install-recommends"];
const LISTS = "/var/lib/apt/lists";

/** How {@link ensureSystemPackages} ended; `advice` is for the user, whole lines. */
export type SystemPackagesResult =
  | { readonly status: "present" }
  | { readonly status: "installed"; readonly packages: readonly string[] }
  | {
      readonly status: "missing";
      readonly packages: readonly string[];
      readonly advice: string;
    };

/** What {@link ensureSystemPackages} may touch, so that a test needs no machine. */
export interface SystemPackagesContext {
  /** Whether a program is on PATH, or a file at an absolute path. */
  readonly has: (name: string) => boolean;
  readonly isRoot: boolean;
  readonly isTerminal: boolean;
  readonly print: (line: string) => void;
  readonly ask: (question: string) => Promise<string>;
  /** Runs apt-get and returns its exit code. */
  readonly aptGet: (args: readonly string[]) => Promise<number>;
  readonly hasPackageLists: () => boolean;
}

/**
 * Installs the Debian packages whose programs or files are not there.
 *
 * A program that is there is used, whatever its version and origin; nothing is removed or upgraded for
 * a package's sake, and no service is started. Prints what it installs before it does; asks on a
 * terminal, goes on without one. Without root or apt, or when the answer is no, it changes nothing and
 * says what to install.
 */
export async function ensureSystemPackages(
  context: SystemPackagesContext = machineContext(),
): Promise<SystemPackagesResult> {
  const missing = PACKAGES.filter(({ brings }) => !brings.every(context.has));
  if (missing.length === 0) return { status: "present" };
  const packages = missing.map(({ name }) => name);
  const refused = await whyNotInstalled(missing, context);
  if (refused !== undefined) return { status: "missing", packages, advice: refused };

  const exitCode = await withAptGet(packages, context);
  const still = missing.flatMap(({ brings }) => brings).filter((name) => !context.has(name));
  if (exitCode === 0 && still.length === 0) return { status: "installed", packages };
  const failure = `apt-get ended with ${exitCode}${still.length > 0 ? `, and ${still.join(", ")} is still not there` : ""}.`;
  return { status: "missing", packages, advice: `${failure}\n${installAdvice(packages)}` };
}

async function whyNotInstalled(
  missing: readonly SystemPackage[],
  context: SystemPackagesContext,
): Promise<string | undefined> {
  const advice = installAdvice(missing.map(({ name }) => name));
  if (!context.has("apt-get")) return `There is no apt-get here. ${advice}`;
  if (!context.isRoot) return `Installing needs root. ${advice}`;
  context.print("To be installed with apt-get (nothing is removed, no service is started):");
  for (const { name, purpose } of missing) context.print(`  ${name.padEnd(16)} ${purpose}`);
  if (!context.isTerminal) return undefined;
  const answer = await context.ask("Install them now? [y/N] ");
  return /^y(es)?$/i.test(answer.trim()) ? undefined : `Nothing was installed. ${advice}`;
}

function installAdvice(packages: readonly string[]): string {
  return `On Debian or Ubuntu: apt-get install --no-install-recommends ${packages.join(" ")}`;
}

async function withAptGet(
  packages: readonly string[],
  context: SystemPackagesContext,
): Promise<number> {
  const install = () => withoutServiceStarts(() => context.aptGet([...INSTALL_ARGS, ...packages]));
  const hadLists = context.hasPackageLists();
  if (!hadLists) await context.aptGet(["update"]);
  const exitCode = await install();
  if (exitCode === 0 || !hadLists) return exitCode;
  // lists that are too old name versions that the mirror no longer has
  await context.aptGet(["update"]);
  return install();
}

function machineContext(): SystemPackagesContext {
  return {
    has: (name) => (name.startsWith("/") ? existsSync(name) : findOnPath(name) !== undefined),
    isRoot: process.getuid?.() === 0,
    isTerminal: process.stdin.isTTY === true && process.stdout.isTTY === true,
    print: (line) => process.stdout.write(`${line}\n`),
    ask: askOnTerminal,
    aptGet: async (args) => {
      const options = ["-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0"];
      const env = { DEBIAN_FRONTEND: "noninteractive" };
      return (await runCommand("apt-get", [...options, ...args], { env })).exitCode;
    },
    hasPackageLists: () => readdirSync(LISTS).some((name) => /_Packages(\.\w+)?$/.test(name)),
  };
}

async function askOnTerminal(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
