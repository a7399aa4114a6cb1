import { type HostChange, type Plan, type PodChange, waitingChanges } from "../../plan/index.ts";
import { renderRollouts, resumeWords } from "../rollouts/render-rollouts.ts";
import { textWidth, wrap } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { printable } from "../text/printable.ts";
import { plural } from "../text/quantities.ts";
import { countedWord } from "./change-words.ts";
import type { HostView } from "./plan-view.ts";
import { renderHostPlan } from "./render-host-plan.ts";

/** How a plan is to be shown. */
export interface RenderPlanOptions {
  readonly paint: Paint;
  /** Columns of the terminal; undefined breaks no line. */
  readonly columns: number | undefined;
  readonly now: Date;
  /** Whether everything is to go because the user said so. */
  readonly destroying?: boolean | undefined;
  /** Whether volumes that no pod uses are to go with it. */
  readonly deletingVolumes?: boolean | undefined;
  /** Pods that the manifest declares. */
  readonly declaredPods?: number | undefined;
}

/** A plan for people: what would be done, where, why and in which steps. Ends with a line end. */
export function renderPlan(plan: Plan, options: RenderPlanOptions): string {
  const { paint, columns, now, declaredPods } = options;
  const header = [
    `fleet ${paint.bold(plan.fleet)}`,
    plural(plan.hosts.length, "host"),
    ...(declaredPods === undefined ? [] : [plural(declaredPods, "pod")]),
    ...(plan.partial ? ["only part of it is planned"] : []),
  ];
  const view: HostView = {
    paint,
    columns,
    now,
    destroying: options.destroying ?? false,
    deletingVolumes: options.deletingVolumes ?? false,
    nameWidth: Math.max(0, ...plan.hosts.map(({ host }) => textWidth(host))),
    podIds: new Set(plan.pods.map(({ id }) => id)),
    waiting: waitingChanges(plan),
    handovers: new Set(
      plan.hostChanges
        .filter(({ steps }) => steps.some((step) => "from" in step && step.kind === "import-image"))
        .map(({ id }) => id),
    ),
    engines: new Map(plan.hosts.map(({ host, engine }) => [host, engine])),
    saidNotes: new Set(),
  };
  const [pods, changes] = [byHost(plan.pods), byHost(plan.hostChanges)];
  const blocks = plan.hosts.map((host) =>
    renderHostPlan(host, pods.get(host.host) ?? [], changes.get(host.host) ?? [], view),
  );
  return `${[
    header.join(" · "),
    blocks.filter((block) => block !== "").join("\n"),
    renderRollouts(plan.rollouts ?? [], options),
    renderWarnings(plan, options),
    paint.bold(wrap(summaryLine(plan), columns, "")),
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

/** What a plan warns of, a line each; empty where it warns of nothing. */
export function renderWarnings(
  { warnings }: Plan,
  { paint, columns }: Pick<RenderPlanOptions, "paint" | "columns">,
): string {
  return warnings
    .map((text) => wrap(`${paint.yellow("warning:")} ${printable(text)}`, columns, "  "))
    .join("\n");
}

/** What a plan comes to, in one line. */
export function summaryLine(plan: Plan): string {
  if (plan.pods.length === 0 && plan.hostChanges.length === 0) {
    return "Nothing to do: all hosts match the manifest.";
  }
  const waiting = waitingChanges(plan);
  const pods = plan.pods.filter(({ id }) => !waiting.has(id));
  const hostChanges = plan.hostChanges.filter(({ id }) => !waiting.has(id));
  const waits = plural(plan.pods.length - pods.length, "pod");
  if (pods.length === 0 && hostChanges.length === 0)
    return `Nothing to do for now: ${waits} to change after ${resumeWords(plan)}.`;
  const actions = new Map<PodChange["action"], number>();
  for (const { action } of pods) actions.set(action, (actions.get(action) ?? 0) + 1);
  const counted = [...actions]
    .map(([action, count]) => `${count} ${countedWord(action)}`)
    .join(", ");
  const moved = pods.filter(({ movesFrom }) => movesFrom !== undefined).length;
  const moves =
    moved === 0
      ? ""
      : ` (${plural(moved, "pod")} ${moved === 1 ? "moves" : "move"} to another host)`;
  const ofPods =
    pods.length === 0 ? [] : [`${plural(pods.length, "pod")} to change: ${counted}${moves}`];
  const later = waiting.size === 0 ? [] : [`${waits} more after ${resumeWords(plan)}`];
  return `${[...ofPods, ...hostWords(hostChanges, pods.length > 0), ...later].join("; ")}. Nothing has been touched yet.`;
}

function hostWords(changes: readonly HostChange[], withPods: boolean): readonly string[] {
  const isLost = ({ action }: HostChange): boolean => action === "unreachable";
  const count = (of: readonly HostChange[]): number => new Set(of.map(({ host }) => host)).size;
  const lost = count(changes.filter(isLost));
  const changed = count(changes.filter((each) => !isLost(each)));
  const beside = withPods ? ` beside ${changed === 1 ? "its" : "their"} pods` : "";
  return [
    ...(changed === 0 ? [] : [`${plural(changed, "host")} to change${beside}`]),
    ...(lost === 0 ? [] : [`${plural(lost, "host")} not reached`]),
  ];
}

function byHost<T extends PodChange | HostChange>(
  changes: readonly T[],
): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const change of changes) {
    const list = found.get(change.host);
    if (list === undefined) found.set(change.host, [change]);
    else list.push(change);
  }
  return found;
}
