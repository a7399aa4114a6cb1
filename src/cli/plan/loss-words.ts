import type { ChangeVerdict, EngineConfig } from "../../model/index.ts";
import type { Loss } from "../../plan/index.ts";
import { printable } from "../text/printable.ts";
import { fieldWords, spaced } from "./change-words.ts";

/** What a change of a field meant on the old engine, and is lost. */
const WITHOUT: Readonly<Record<ChangeVerdict, string>> = {
  live: "without a restart",
  restart: "without losing the writable layer",
  replace: "",
};

/** What a move costs, one line for each kind of loss: `lost on podman: changing ulimits without losing the writable layer`. */
export function lossWords(
  losses: readonly Loss[],
  engine: EngineConfig | undefined,
): readonly string[] {
  const kind = engine?.kind ?? "the new engine";
  const changes = losses.flatMap(({ path, change }) =>
    change === undefined ? [] : [[WITHOUT[change.before], lossField(path)] as const],
  );
  const lost = [...new Set(changes.map(([without]) => without))].map((without) => {
    const fields = new Set(changes.filter(([each]) => each === without).map(([, field]) => field));
    return `lost on ${kind}: changing ${[...fields].join(", ")} ${without}`;
  });
  const emulated = losses.flatMap(({ path, emulated: how }) =>
    how === undefined ? [] : [`emulated on ${kind}: ${lossField(path)}: ${printable(how)}`],
  );
  return [...lost, ...new Set(emulated)];
}

/** One limit is lost and not the next: it is named. */
function lossField(path: string): string {
  const limit = /\.resources\.([A-Za-z]+)/.exec(path)?.[1] ?? /\.(ulimits)\b/.exec(path)?.[1];
  return limit === undefined ? fieldWords(path) : spaced(limit.replace(/(?:Bytes|Millis)$/, ""));
}
