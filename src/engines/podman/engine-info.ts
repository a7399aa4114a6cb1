import type { EngineInfo } from "../../model/index.ts";
import { VersionAnswer } from "./cli/answers.ts";
import type { PodmanCli } from "./cli/podman-cli.ts";

/** Version and platform; podman says them without looking at its store. */
export async function readInfo(cli: PodmanCli): Promise<EngineInfo> {
  const { Client } = await cli.json(["version", "--format", "json"], VersionAnswer, {
    doing: "ask podman for its version",
  });
  const [os = "linux", architecture = "", variant] = Client.OsArch.split("/");
  return {
    kind: "podman",
    version: Client.Version,
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
  };
}
