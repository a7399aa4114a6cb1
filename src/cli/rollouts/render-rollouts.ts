import type { Rollout } from "../../model/index.ts";
import { type Plan, pauseWords, type RolloutPlan } from "../../plan/index.ts";
import { pad, wrap } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { printable } from "../text/printable.ts";
import { formatDuration, plural } from "../text/quantities.ts";

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
        wrap(
          `${paint.bold(`rollout of ${rollout.service}`)}  ${headline(rollout)}`,
          columns,
          "    ",
        ),
        ...(rollout.paused === undefined ? [] : [`  ${sizeWords(rollout)}`]),
        ...waveLines(rollout).map((text) => wrap(`  ${text}`, columns, " ".repeat(WAVE_INDENT))),
        ...policyLines(rollout.policy).map((text) => paint.dim(wrap(`  ${text}`, columns, "    "))),
      ].join("\n"),
    )
    .join("\n");
}

const LABEL_WIDTH = 9;
const WAVE_INDENT = LABEL_WIDTH + 4;

function headline(rollout: RolloutPlan): string {
  const { service, paused } = rollout;
  if (paused === undefined) return sizeWords(rollout);
  const count = paused.waits.length;
  const waits =
    count === 0
      ? "nothing waits"
      : `${plural(count, "change")} ${count === 1 ? "waits" : "wait"} for stowage rollout resume ${service}`;
  return `${printable(pauseWords(paused))}; ${waits}`;
}

/** Commands that let go on what waits in a plan. */
export function resumeWords({ rollouts = [] }: Plan): string {
  return rollouts
    .filter(({ paused }) => paused !== undefined && paused.waits.length > 0)
    .map(({ service }) => `stowage rollout resume ${service}`)
    .join(" and ");
}

function sizeWords({ waves, done }: RolloutPlan): string {
  const pods = waves.reduce((sum, { changes }) => sum + changes.length, 0);
  const ready = done === 0 ? "" : `; ${done} already as declared`;
  return `${plural(pods, "pod")} in ${plural(waves.length, "wave")}${ready}`;
}

function waveLines({ waves, policy, paused }: RolloutPlan): readonly string[] {
  const waiting = new Set(paused?.waits);
  const pause = policy.pauseMs ?? 0;
  const after = pause === 0 ? "" : `, after a pause of ${formatDuration(pause)}`;
  const shown = waves.slice(0, WAVES_MAX).map(({ kind, changes }, index) => {
    const label = kind === "canary" ? "canary" : `wave ${index + 1}`;
    const more = changes.length - NAMES_MAX;
    const names = `${changes.slice(0, NAMES_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
    const held = changes.filter((id) => waiting.has(id)).length;
    const waits = held === 0 ? "" : held === changes.length ? ", waits" : `, ${held} of them wait`;
    return `${pad(label, LABEL_WIDTH)}  ${names}${index === 0 ? "" : after}${waits}`;
  });
  const left = waves.length - shown.length;
  return left > 0 ? [...shown, `and ${plural(left, "more wave")}`] : shown;
}

function policyLines({ abortAfter = 1, rollback = "none", canary, healthTimeMs = 0 }: Rollout) {
  const proven =
    healthTimeMs === 0
      ? []
      : [`a pod counts as done when it was healthy for ${formatDuration(healthTimeMs)}`];
  const first = canary !== undefined && abortAfter > 1 ? ", or 1 of the canary" : "";
  const back = {
    none: "changed pods stay as they are",
    wave: "all pods of that wave are rolled back",
    all: "all changed pods are rolled back",
  }[rollback];
  return [...proven, `given up after ${plural(abortAfter, "failure")}${first}; then ${back}`];
}
