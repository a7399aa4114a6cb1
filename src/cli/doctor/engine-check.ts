import { StowageError } from "../../errors/index.ts";
import type { EngineInfo, EngineKind } from "../../model/index.ts";
import { engineEntry } from "../engine-kinds.ts";
import type { Check } from "./check.ts";

/** Whether an engine answers, and in a version that is known. */
export async function engineCheck(
  kind: EngineKind,
  ask: () => Promise<EngineInfo>,
): Promise<Check> {
  const info = await answer(ask);
  if (StowageError.is(info)) {
    const [finding, remedy] = split(info.message);
    return { name: kind, status: "fail", finding, remedy };
  }
  const { version, platform } = info;
  const finding = `${version} on ${platform.os}/${platform.architecture}`;
  const { versions } = engineEntry(kind);
  if (versions === undefined || versions.pattern.test(version))
    return { name: kind, status: "ok", finding };
  return {
    name: kind,
    status: "warn",
    finding,
    remedy: `this version is not known to work; use ${versions.words}`,
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
