import type { InfoOptions } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { EngineInfo } from "../../model/index.ts";
import { ASK_VERSION, type PodmanContext } from "./context.ts";

/** Architectures by the kernel's name for them, where Go has another. */
const ARCHITECTURES: Readonly<Record<string, { architecture: string; variant?: string }>> = {
  x86_64: { architecture: "amd64" },
  i686: { architecture: "386" },
  aarch64: { architecture: "arm64" },
  armv7l: { architecture: "arm", variant: "v7" },
  armv6l: { architecture: "arm", variant: "v6" },
};

/** Version and platform. */
export async function readInfo(
  { version, host, facts }: PodmanContext,
  options: InfoOptions,
): Promise<EngineInfo> {
  const [said, machine] = await Promise.all([
    version.read(options),
    facts.architecture ?? host.run(["uname", "-m"]).then(({ stdout }) => stdout.trim()),
  ]);
  const number = /^podman version (\d+\.\d+\S*)\s*$/.exec(said)?.[1];
  if (number === undefined) {
    throw new StowageError(
      `Cannot ${ASK_VERSION}: its answer is not a version; see that it is podman`,
      { code: "internal" },
    );
  }
  return {
    kind: "podman",
    version: number,
    platform: { os: "linux", ...(ARCHITECTURES[machine] ?? { architecture: machine }) },
  };
}
