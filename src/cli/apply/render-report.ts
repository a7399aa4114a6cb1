import type { ApplyReport, ChangeOutcome } from "../../reconcile/index.ts";
import { wrap } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { printable } from "../text/printable.ts";
import { formatDuration, plural } from "../text/quantities.ts";
import { outcomePlace, outcomeWords } from "./outcome-words.ts";

/** What a run does to pods; with `pull` and `push`, to their images alone. */
export type RunVerb = "apply" | "destroy" | "pull" | "push" | "prune" | "restart";

/** How an apply, a destroy or a pull ended: what was done, what was not, and what to do. Ends with a line end. */
export function renderReport(
  report: ApplyReport,
  options: {
    readonly paint: Paint;
    readonly columns: number | undefined;
    readonly verb?: RunVerb;
  },
): string {
  const { paint, columns, verb = "apply" } = options;
  const open = report.outcomes.filter(
    ({ status, reason }) => status !== "done" || reason !== undefined,
  );
  const troubles = open.filter(({ waits }) => waits !== true);
  const blocks = [
    ...troubles.map((outcome) => troubleLines(outcome, options).join("\n")),
    ...waitBlocks(open, options),
  ];
  const deleted = report.deletedVolumes.map((volume) => `deleted volume ${volume}`);
  const last = wrap(`${verdict(report, verb)}${remedyOf(report, verb)}`, columns, "");
  return `${[...blocks, deleted.join("\n"), paint.bold(last)].filter((part) => part !== "").join("\n\n")}\n`;
}

function troubleLines(
  outcome: ChangeOutcome,
  { paint, columns }: { readonly paint: Paint; readonly columns: number | undefined },
): readonly string[] {
  const { reason, remedy, logs } = outcome;
  const lines = [`${paint.red(outcomePlace(outcome))}  ${outcomeWords(outcome)}`];
  if (reason !== undefined) lines.push(wrap(`  why: ${printable(reason)}`, columns, "    "));
  if (remedy !== undefined) lines.push(wrap(`  what to do: ${printable(remedy)}`, columns, "    "));
  for (const { container, text } of logs ?? [])
    lines.push(paint.dim(`  ${container} | ${printable(text)}`));
  return lines;
}

const NAMES_MAX = 6;

/** What waits for a paused rollout: many changes for one reason. */
function waitBlocks(
  open: readonly ChangeOutcome[],
  { paint, columns }: { readonly paint: Paint; readonly columns: number | undefined },
): readonly string[] {
  const byReason = new Map<string, ChangeOutcome[]>();
  for (const outcome of open) {
    if (outcome.waits !== true || outcome.pod === undefined) continue;
    const key = outcome.reason ?? "";
    byReason.set(key, [...(byReason.get(key) ?? []), outcome]);
  }
  return [...byReason].map(([reason, outcomes]) => {
    const more = outcomes.length - NAMES_MAX;
    const names = outcomes.slice(0, NAMES_MAX).map(outcomePlace).join(", ");
    const [first] = outcomes;
    return [
      wrap(
        `${paint.yellow(`${plural(outcomes.length, "pod")} waiting`)}  ${names}${more > 0 ? ` and ${more} more` : ""}`,
        columns,
        "    ",
      ),
      wrap(`  why: ${printable(reason)}`, columns, "    "),
      ...(first?.remedy === undefined
        ? []
        : [wrap(`  what to do: ${printable(first.remedy)}`, columns, "    ")]),
    ].join("\n");
  });
}

const NOTHING_TO_DO: Readonly<Record<RunVerb, string>> = {
  apply: "all hosts match the manifest",
  destroy: "the hosts hold nothing of the fleet",
  pull: "the hosts hold every image that their pods need",
  push: "the hosts hold every image that their pods need",
  prune: "the hosts hold nothing to prune",
  restart: "the named pods have ended, as their restart policy allows, and are not restarted",
};

const DONE: Readonly<Record<RunVerb, string>> = {
  apply: "changed",
  destroy: "removed",
  pull: "pulled",
  push: "sent",
  prune: "made",
  restart: "restarted",
};

function verdict({ status, outcomes, ms }: ApplyReport, verb: RunVerb): string {
  const done = outcomes.filter((outcome) => outcome.status === "done");
  const waits = outcomes.filter((outcome) => outcome.waits === true).length;
  const pods = done.filter(({ pod }) => pod !== undefined).length;
  const open = plural(outcomes.length - done.length - waits, "change");
  const things = {
    apply: plural(pods, "pod"),
    destroy: plural(pods, "pod"),
    pull: plural(done.length, "image"),
    push: plural(done.length, "image"),
    prune: plural(done.length, "change"),
    restart: plural(pods, "pod"),
  }[verb];
  const count = `${things} ${DONE[verb]} in ${formatDuration(ms)}`;
  switch (status) {
    case "converged":
      return `Nothing to do: ${NOTHING_TO_DO[verb]}.`;
    case "declined":
      return "Nothing has been touched.";
    case "done":
      return `Done: ${count}.`;
    case "failed":
      return `Not everything was done: ${count}, ${open} not done.`;
    case "interrupted":
      return `Stopped before the end: ${count}, ${open} not done.`;
    case "incomplete":
      return `Some hosts could not be reached: ${count}.`;
    case "paused":
      return outcomes.length === 0
        ? "Nothing has been touched: all remaining changes wait for a rollout to be resumed."
        : `Paused: ${count}, ${plural(waits, "change")} left for when the rollout is resumed.`;
    default:
      return status satisfies never;
  }
}

function remedyOf({ status }: ApplyReport, verb: RunVerb): string {
  if (verb === "restart" && (status === "failed" || status === "interrupted")) {
    const first = status === "failed" ? "Fix the cause, and name" : "Name";
    return ` ${first} only those: a restart would restart the others again.`;
  }
  if (status === "failed") {
    return " Fix the cause and run it again; completed changes are not repeated.";
  }
  return status === "interrupted" ? " Run it again to continue." : "";
}
