import { StowageError } from "../../errors/index.ts";
import type { EngineInfo } from "../../model/index.ts";
import type { Check } from "./check.ts";

/** Versions of engines that Stowage is made for. */
const KNOWN_VERSIONS: Readonly<Record<string, readonly [pattern: RegExp, words: string]>> = {
  containerd: [/^v?(?:1\.[67]|2\.\d+)\./, "1.6, 1.7 or 2.x"],
  podman: [/^(?:4\.[3-9]|5\.\d+)\./, "4.3 to 5.x"],
  // the last one: rkt ended in 2020
  rkt: [/^1\.30\./, "1.30"],
};

/** Whether an engine answers, and in a version that is known. */
export async function engineCheck(kind: string, ask: () => Promise<EngineInfo>): Promise<Check> {
  const info = await answer(ask);
  if (StowageError.is(info)) {
    const [finding, remedy] = split(info.message);
    return { name: kind, status: "fail", finding, remedy };
  }
  const { version, platform } = info;
  const finding = `${version} on ${platform.os}/${platform.architecture}`;
  const known = KNOWN_VERSIONS[kind];
  if (known === undefined || known[0].test(version)) return { name: kind, status: "ok", finding };
  return {
    name: kind,
    status: "warn",
    finding,
    remedy: `this version is not known to work; take ${known[1]}`,
  };
}

async function answer(ask: () => Promise<EngineInfo>): Promise<EngineInfo | StowageError> {
  try {
    return await ask();
  } catch (error) {
    if (StowageError.is(error)) return error;
    throw error;
  }
}

/** Messages read `Cannot … : state; remedy`. */
function split(message: string): readonly [finding: string, remedy: string] {
  const at = message.indexOf("; ");
  return at < 0
    ? [message, "see that the engine runs, then try again"]
    : [message.slice(0, at), message.slice(at + 2)];
}
