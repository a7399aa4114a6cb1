import { StowageError } from "../../errors/index.ts";
import type { EngineInfo } from "../../model/index.ts";
import type { PodmanContext } from "./context.ts";

/** Architectures by the kernel's name for them, where Go has another. */
const ARCHITECTURES: Readonly<Record<string, { architecture: string; variant?: string }>> = {
  x86_64: { architecture: "amd64" },
  i686: { architecture: "386" },
  aarch64: { architecture: "arm64" },
  armv7l: { architecture: "arm", variant: "v7" },
  armv6l: { architecture: "arm", variant: "v6" },
};

/**
 * Version and platform.
 *
 * @param version where it is known; else podman is asked
 */
export async function readInfo(
  context: PodmanContext,
  version: string | undefined,
): Promise<EngineInfo> {
  const { host, facts } = context;
  const [said, name] = await Promise.all([
    version ?? askVersion(context),
    facts.architecture ?? host.run(["uname", "-m"]).then(({ stdout }) => stdout.trim()),
  ]);
  return {
    kind: "podman",
    version: said,
    platform: { os: "linux", ...(ARCHITECTURES[name] ?? { architecture: name }) },
  };
}

/** Of the two ways to ask for it this is the one that makes no store; it does not tell the platform. */
async function askVersion({ cli }: PodmanContext): Promise<string> {
  const doing = "ask podman for its version";
  const answer = await cli.read(["--version"], { doing });
  const version = /^podman version (\d+\.\d+\S*)\s*$/.exec(answer)?.[1];
  if (version === undefined) {
    throw new StowageError(`Cannot ${doing}: its answer is not a version; see that it is podman`, {
      code: "internal",
    });
  }
  return version;
}
