import type { PodChange, Reason } from "../../plan/index.ts";
import { formatValue } from "../text/format-value.ts";
import { pad, wrap } from "../text/layout.ts";
import { printable } from "../text/printable.ts";
import { fieldReasons, headline, sentences } from "./change-words.ts";
import { lossWords } from "./loss-words.ts";
import { type HostView, type Mark, paintedMark } from "./plan-view.ts";
import { stepLine } from "./step-words.ts";

const INDENT = 6;
const PATH_WIDTH_MAX = 44;

/** One pod's change: what and why, each field that differs, the steps, and what to know of it. */
export function renderPodChange(
  change: PodChange,
  nameWidth: number,
  view: HostView,
): readonly string[] {
  const { paint, columns, now } = view;
  const isAsked = view.destroying && change.action === "remove";
  const title = isAsked ? "remove" : headline(change, now);
  const down =
    change.interrupts && change.action !== "remove" ? paint.dim("   down for a moment") : "";
  const state = view.waiting.has(change.id) ? paint.yellow("   waits") : down;
  const mark = paintedMark(markOf(change), paint);
  // that it is declared elsewhere is what its headline says
  const rest = (isAsked || change.movesTo !== undefined ? [] : sentences(change, now)).filter(
    (text) => !title.endsWith(text) && text !== "it is new",
  );
  const engine = view.engines.get(change.host);
  const steps = [
    ...(change.after.some((id) => view.handovers.has(id)) ? ["hand the image over"] : []),
    ...[stepLine(change.steps, { to: change.to, engine })].filter((text) => text !== ""),
  ].join(" · ");
  const notes = change.notes.filter((text) => !view.saidNotes.has(text));
  for (const text of notes) view.saidNotes.add(text);
  return [
    wrap(
      `  ${mark} ${paint.bold(pad(change.pod, nameWidth))}   ${title}${state}`,
      columns,
      " ".repeat(INDENT),
    ),
    ...rest.map((text) => line(text, columns)),
    ...reasonLines(change, columns),
    ...lossWords(change.losses ?? [], engine).map((text) => line(text, columns)),
    ...(steps === "" ? [] : [paint.dim(line(steps, columns))]),
    ...afterLines(change, view),
    ...notes.map((text) => line(`note: ${printable(text)}`, columns)),
  ];
}

function reasonLines(change: PodChange, columns: number | undefined): readonly string[] {
  if (change.action === "remove") return [];
  // that the pod moves is what its headline says, and of what is new no field is news but one that is lost
  const [isMove, isNew] = [change.action === "move-engine", change.action === "create"];
  const reasons = fieldReasons(change).filter(
    ({ path, kind }) => !(isMove && path === "engine") && !(isNew && kind !== "drift"),
  );
  const mixed = new Set(reasons.map(({ verdict }) => verdict)).size > 1;
  const width = Math.min(PATH_WIDTH_MAX, Math.max(0, ...reasons.map(({ path }) => path.length)));
  return reasons.map((reason) => {
    const suffixes = [
      ...(mixed ? [verdictWords(reason)] : []),
      ...(reason.kind === "drift" && !isSaid(reason) ? ["found changed on the host"] : []),
      ...(reason.text === undefined || isSaid(reason) ? [] : [printable(reason.text)]),
    ];
    const suffix = suffixes.length === 0 ? "" : `   (${suffixes.join("; ")})`;
    return line(`${pad(printable(reason.path), width)}   ${difference(reason)}${suffix}`, columns);
  });
}

/** Whether its text says all of it. */
function isSaid(reason: Reason): boolean {
  return reason.text !== undefined && isTold(reason);
}

/** Whether its text, where it has one, stands for both of its sides. */
function isTold({ before, after, secret }: Reason): boolean {
  return secret === true || (before === undefined && after === undefined);
}

function difference(reason: Reason): string {
  const { path, before, after, text } = reason;
  if (isTold(reason)) return text === undefined ? "changed" : printable(text);
  const [was, is] = [formatValue(path, before), formatValue(path, after)];
  const repository = /^(\S+\/[^\s:@]+)[:@]/.exec(was)?.[1];
  const onlyTag = repository !== undefined && is.startsWith(`${repository}:`);
  return `${was} → ${onlyTag ? is.slice(repository.length + 1) : is}`;
}

function verdictWords({ verdict }: Reason): string {
  return {
    live: "live",
    restart: "needs a restart",
    replace: "needs a replacement",
    none: "changes nothing that runs",
  }[verdict];
}

/** Pods that a change waits for; that it waits for its images goes without saying. */
function afterLines({ after }: PodChange, { podIds, columns }: HostView): readonly string[] {
  const pods = after.filter((id) => podIds.has(id));
  if (pods.length === 0) return [];
  const named = pods.slice(0, 2).join(" and ");
  return [line(`after ${named}${pods.length > 2 ? ` and ${pods.length - 2} more` : ""}`, columns)];
}

function line(text: string, columns: number | undefined): string {
  return wrap(`${" ".repeat(INDENT)}${text}`, columns, " ".repeat(INDENT + 2));
}

function markOf({ action, reasons }: PodChange): Mark {
  if (action === "create") return "+";
  if (action === "remove") return "-";
  if (action === "move-engine") return ">";
  return reasons.some(({ kind }) => kind !== "declared" && kind !== "asked") ? "!" : "~";
}
