import type { Rollout } from "../model/index.ts";
import type { RolloutPlan } from "../plan/index.ts";
import { pad, wrap } from "./text/layout.ts";
import type { Paint } from "./text/paint.ts";
import { formatDuration, plural } from "./text/quantities.ts";

const WAVES_MAX = 12;
const NAMES_MAX = 6;

/** The rollouts of a plan for people: which pods of a service change together, and what ends it. */
export function renderRollouts(
  rollouts: readonly RolloutPlan[],
  { paint, columns }: { readonly paint: Paint; readonly columns: number | undefined },
): string {
  return rollouts
    .map((rollout) =>
      [
        `${paint.bold(`rollout of ${rollout.service}`)}  ${headline(rollout)}`,
        ...waveLines(rollout).map((text) => wrap(`  ${text}`, columns, " ".repeat(WAVE_INDENT))),
        ...policyLines(rollout.policy).map((text) => paint.dim(wrap(`  ${text}`, columns, "    "))),
      ].join("\n"),
    )
    .join("\n");
}

const LABEL_WIDTH = 9;
const WAVE_INDENT = LABEL_WIDTH + 4;

function headline({ waves, done }: RolloutPlan): string {
  const pods = waves.reduce((sum, { changes }) => sum + changes.length, 0);
  const ready = done === 0 ? "" : `; ${done} as declared already`;
  return `${plural(pods, "pod")} in ${plural(waves.length, "wave")}${ready}`;
}

function waveLines({ waves, policy }: RolloutPlan): readonly string[] {
  const pause = policy.pauseMs ?? 0;
  const after = pause === 0 ? "" : `, after a pause of ${formatDuration(pause)}`;
  const shown = waves.slice(0, WAVES_MAX).map(({ kind, changes }, index) => {
    const label = kind === "canary" ? "canary" : `wave ${index + 1}`;
    const more = changes.length - NAMES_MAX;
    const names = `${changes.slice(0, NAMES_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
    return `${pad(label, LABEL_WIDTH)}  ${names}${index === 0 ? "" : after}`;
  });
  const left = waves.length - shown.length;
  return left > 0 ? [...shown, `and ${plural(left, "more wave")}`] : shown;
}

function policyLines({ abortAfter = 1, rollback = "none", canary, healthTimeMs = 0 }: Rollout) {
  const proven =
    healthTimeMs === 0
      ? []
      : [`a pod counts when it was healthy for ${formatDuration(healthTimeMs)}`];
  const first = canary !== undefined && abortAfter > 1 ? ", or 1 of the canary" : "";
  const back = {
    none: "pods that were changed stay so",
    wave: "all pods of that wave go back",
    all: "all pods that were changed go back",
  }[rollback];
  return [...proven, `given up after ${plural(abortAfter, "failure")}${first}; then ${back}`];
}
