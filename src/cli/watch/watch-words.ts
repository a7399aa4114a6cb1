import type { EngineEvent } from "../../engine/index.ts";
import type { WatchEvent } from "../../reconcile/index.ts";
import { actionWord } from "../apply/outcome-words.ts";
import { registryWaitWords } from "../apply/registry-waits.ts";
import { printable } from "../text/printable.ts";
import { plural } from "../text/quantities.ts";

/** How serious a message is. */
export type Level = "info" | "warning" | "error";

const LEVELS: Readonly<Partial<Record<WatchEvent["type"], Level>>> = {
  deaf: "warning",
  unreachable: "warning",
  left: "warning",
  unhealthy: "warning",
  unasked: "warning",
  "backing-off": "warning",
  "registry-waiting": "warning",
  locked: "warning",
  failed: "error",
  "declaration-broken": "error",
};

export function levelOf(event: WatchEvent): Level {
  if (event.type === "changed" && event.outcome.status !== "done") return "error";
  if (event.type === "pending" && event.changes.length > 0) return "warning";
  return LEVELS[event.type] ?? "info";
}

/** What happened, in one sentence; undefined for what is only worth one when somebody looks closely. */
export function watchWords(event: WatchEvent, isVerbose: boolean): string | undefined {
  switch (event.type) {
    case "watching":
      return `watching fleet ${event.fleet} on ${event.hosts.join(", ")}`;
    case "listening":
      return event.by === "events"
        ? `${event.host}: listening to its engine`
        : `${event.host}: its engine reports no events; it is polled`;
    case "deaf":
      return `${event.host}: not receiving events: ${event.reason}`;
    case "heard":
      return isVerbose ? `${event.host}: ${eventWords(event.event)}` : undefined;
    case "pass":
      return isVerbose ? `${event.kind} pass took ${Math.round(event.ms)} ms` : undefined;
    case "unreachable":
      return `${event.host}: cannot be observed: ${event.reason}`;
    case "reachable":
      return `${event.host}: can be observed again`;
    case "left":
      return `${event.id}: it ended and is not restarted: ${event.reason}`;
    case "pending":
      return pendingWords(event);
    case "changed":
      return changedWords(event);
    case "backing-off":
      return `${event.id}: tried ${event.tries} times; the next try is in ${event.pauseMs / 1000} s or later`;
    case "unhealthy":
      return `${event.id}: container ${event.container} is unhealthy: ${plural(event.tries, "probe")} failed in a row${event.restarts ? "" : ", and it is left as it is"}: ${event.reason}`;
    case "recovered":
      if (event.how === "ended" && !isVerbose) return undefined;
      return `${event.id}: container ${event.container} ${event.how === "passes" ? "is healthy again" : "was unhealthy, and has ended"}`;
    case "unasked":
      return `${event.host}: probes are not run: ${event.reason}`;
    case "registry-waiting":
      return registryWaitWords(event);
    case "locked":
      return `waiting: ${event.reason}`;
    case "failed":
      return event.reason;
    case "declaration":
      return `the manifest changed: ${plural(event.pods, "pod")}`;
    case "declaration-broken":
      return `the changed manifest is not used: ${event.reason}`;
    case "stopping":
      return "stopping";
    default:
      return event satisfies never;
  }
}

/** An event of an engine in words: `web/main ended with exit code 137`. */
export function eventWords({ kind, pod, container, exitCode }: EngineEvent): string {
  const what = kind === "out-of-memory" ? "ran out of memory" : kind;
  const code = exitCode === undefined ? "" : ` with exit code ${exitCode}`;
  return `${pod?.pod ?? "?"}/${container ?? "?"} ${what}${code}`;
}

function pendingWords({ changes, paused = [] }: Extract<WatchEvent, { type: "pending" }>): string {
  if (changes.length === 0) return "all hosts match the manifest";
  const [first] = changes;
  const action = first === undefined ? "" : actionWord(first.action);
  const what = `${first?.id}: ${action}, because ${first?.reason}`;
  const more = changes.length === 1 ? "" : `, and ${plural(changes.length - 1, "more change")}`;
  const untold = paused.filter(({ state }) => first?.reason.includes(state) !== true);
  const pauses = untold.map(
    ({ service, state, waits }) =>
      `; the rollout of ${service} is ${printable(state)}: ${plural(waits, "change")} of it ${waits === 1 ? "waits" : "wait"} for stowage rollout resume ${service}`,
  );
  return `not applied: ${what}${more}${pauses.join("")}`;
}

function changedWords({ outcome, isRestart }: Extract<WatchEvent, { type: "changed" }>): string {
  const { id, action, status, reason, ms } = outcome;
  const what = isRestart ? "restart" : actionWord(action);
  if (status === "done") return `${id}: ${what} done in ${Math.round(ms)} ms`;
  return `${id}: ${what} ${status}${reason === undefined ? "" : `: ${reason}`}`;
}
