import { StowageError } from "../../errors/index.ts";
import type { Host } from "../../host/index.ts";
import type { EngineInfo } from "../../model/index.ts";
import type { PodmanCli } from "./cli/podman-cli.ts";

/** Architectures by the kernel's name for them, where Go has another. */
const ARCHITECTURES: Readonly<Record<string, { architecture: string; variant?: string }>> = {
  x86_64: { architecture: "amd64" },
  i686: { architecture: "386" },
  aarch64: { architecture: "arm64" },
  armv7l: { architecture: "arm", variant: "v7" },
  armv6l: { architecture: "arm", variant: "v6" },
};

/**
 * Version and platform. Of the two ways to ask for the version this is the one that makes no store;
 * it does not tell the platform.
 */
export async function readInfo(cli: PodmanCli, host: Host): Promise<EngineInfo> {
  const doing = "ask podman for its version";
  const [answer, name] = await Promise.all([
    cli.read(["--version"], { doing }),
    kernelArchitecture(host),
  ]);
  const version = /^podman version (\d+\.\d+\S*)\s*$/.exec(answer)?.[1];
  if (version === undefined) {
    throw new StowageError(`Cannot ${doing}: its answer is not a version; see that it is podman`, {
      code: "internal",
    });
  }
  return {
    kind: "podman",
    version,
    platform: { os: "linux", ...(ARCHITECTURES[name] ?? { architecture: name }) },
  };
}

/** As `uname -m` says it, which is asked where the kernel is older than 6.1. */
async function kernelArchitecture(host: Host): Promise<string> {
  const { files } = await host.snapshot({ files: [ARCHITECTURE_FILE] });
  const text = files.get(ARCHITECTURE_FILE);
  return (typeof text === "string" ? text : (await host.run(["uname", "-m"])).stdout).trim();
}

const ARCHITECTURE_FILE = "/proc/sys/kernel/arch";
