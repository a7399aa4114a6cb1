import type { HostChange, HostPlan, Plan, PodChange, Reason } from "../plan/index.ts";
import { fieldReasons, headline, sentences } from "./change-words.ts";
import { stepLine } from "./step-words.ts";
import { formatValue } from "./text/format-value.ts";
import { pad, textWidth, wrap } from "./text/layout.ts";
import type { Paint } from "./text/paint.ts";
import { printable } from "./text/printable.ts";
import { formatBytes, plural } from "./text/quantities.ts";

/** How a plan is to be shown. */
export interface RenderPlanOptions {
  readonly paint: Paint;
  /** Columns of the terminal; undefined breaks no line. */
  readonly columns: number | undefined;
  readonly now: Date;
  /** Pods that the manifest declares. */
  readonly declaredPods?: number;
}

const NOTE_INDENT = 6;
const PATH_WIDTH_MAX = 44;

type Mark = "+" | "~" | "!" | "-";

const HOST_MARKS: Readonly<Record<HostChange["action"], Mark>> = {
  import: "+",
  claim: "+",
  release: "-",
  clean: "!",
  roster: "~",
  rename: "~",
  leave: "-",
  unreachable: "!",
};

/** Whether a plan has nothing to do. */
export function isEmptyPlan(plan: Plan): boolean {
  return plan.pods.length === 0 && plan.hostChanges.length === 0;
}

/** A plan for people: what would be done, where, why and in which steps. Ends with a line end. */
export function renderPlan(plan: Plan, options: RenderPlanOptions): string {
  const { paint } = options;
  const declared = options.declaredPods === undefined ? [] : [plural(options.declaredPods, "pod")];
  const header = [
    `fleet ${paint.bold(plan.fleet)}`,
    plural(plan.hosts.length, "host"),
    ...declared,
  ];
  const partial = plan.partial ? ["only a part of it is planned"] : [];
  const width = Math.max(0, ...plan.hosts.map(({ host }) => textWidth(host)));
  const blocks = plan.hosts.map((host) => renderHost(host, plan, width, options));
  const warnings = plan.warnings.map((text) =>
    wrap(`${paint.yellow("warning:")} ${printable(text)}`, options.columns, "  "),
  );
  return `${[
    [...header, ...partial].join(" · "),
    blocks.filter((block) => block !== "").join("\n"),
    warnings.join("\n"),
    paint.bold(summaryLine(plan)),
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

/** What a plan comes to, in one line. */
export function summaryLine(plan: Plan): string {
  if (isEmptyPlan(plan)) return "Nothing to do: the hosts are what the manifest says.";
  const actions = new Map<string, number>();
  for (const { action } of plan.pods) actions.set(action, (actions.get(action) ?? 0) + 1);
  const counted = [...actions].map(([action, count]) => `${count} ${action}`).join(", ");
  const pods =
    plan.pods.length === 0 ? [] : [`${plural(plan.pods.length, "pod")} to change: ${counted}`];
  const hosts = new Set(plan.hostChanges.map(({ host }) => host)).size;
  const ofHosts =
    hosts === 0
      ? []
      : [`${plural(hosts, "host")} to change beside ${hosts === 1 ? "its" : "their"} pods`];
  return `${[...pods, ...ofHosts].join("; ")}. Nothing has been touched yet.`;
}

function renderHost(host: HostPlan, plan: Plan, width: number, options: RenderPlanOptions): string {
  const pods = plan.pods.filter((change) => change.host === host.host);
  const others = plan.hostChanges.filter((change) => change.host === host.host);
  if (pods.length === 0 && others.length === 0 && host.kept.length === 0) return "";
  const nameWidth = Math.max(0, ...pods.map(({ pod }) => textWidth(pod)));
  return [
    `${options.paint.bold(pad(host.host, width))}  ${engineWords(host)}`,
    ...others.flatMap((change) => hostChangeLines(change, options)),
    ...pods.flatMap((change) => podChangeLines(change, nameWidth, options)),
    ...host.kept.map(({ volume, path, sizeBytes }) => {
      const size = sizeBytes === undefined ? "" : ` (${formatBytes(sizeBytes)})`;
      return wrap(
        `    kept: volume ${volume}${size} at ${printable(path)}`,
        options.columns,
        "      ",
      );
    }),
  ].join("\n");
}

function engineWords({ engine, info, declared }: HostPlan): string {
  const version = info === undefined ? "" : ` ${printable(info.version)}`;
  return `${engine.kind}${version}${declared ? "" : ", leaves the fleet"}`;
}

function hostChangeLines(change: HostChange, options: RenderPlanOptions): readonly string[] {
  const line = `  ${painted(HOST_MARKS[change.action], options.paint)} ${printable(change.text)}`;
  return [wrap(line, options.columns, "    "), ...stepLines(change, options)];
}

function podChangeLines(
  change: PodChange,
  nameWidth: number,
  options: RenderPlanOptions,
): readonly string[] {
  const { paint, columns, now } = options;
  const title = headline(change, now);
  const down = change.interrupts ? paint.dim("   down for a moment") : "";
  const name = paint.bold(pad(change.pod, nameWidth));
  const rest = sentences(change, now).filter(
    (text) => !title.endsWith(text) && text !== "it is new",
  );
  return [
    wrap(
      `  ${painted(markOf(change), paint)} ${name}   ${title}${down}`,
      columns,
      " ".repeat(NOTE_INDENT),
    ),
    ...rest.map((text) => note(text, columns)),
    ...reasonLines(change, columns),
    ...stepLines(change, options),
    ...afterLines(change, columns),
    ...change.notes.map((text) => note(`note: ${printable(text)}`, columns)),
  ];
}

function reasonLines(change: PodChange, columns: number | undefined): readonly string[] {
  if (change.action === "create" || change.action === "remove") return [];
  const reasons = fieldReasons(change);
  const mixed = new Set(reasons.map(({ verdict }) => verdict)).size > 1;
  const width = Math.min(PATH_WIDTH_MAX, Math.max(0, ...reasons.map(({ path }) => path.length)));
  return reasons.map((reason) => {
    const path = printable(reason.path);
    const suffixes = [
      ...(mixed ? [verdictWords(reason)] : []),
      ...(reason.kind === "drift" ? ["found changed on the host"] : []),
      ...(reason.text === undefined || reason.secret === true ? [] : [printable(reason.text)]),
    ];
    const suffix = suffixes.length === 0 ? "" : `   (${suffixes.join("; ")})`;
    return wrap(
      `${" ".repeat(NOTE_INDENT)}${pad(path, width)}   ${difference(reason)}${suffix}`,
      columns,
      " ".repeat(NOTE_INDENT + 2),
    );
  });
}

function difference({ path, before, after, secret, text }: Reason): string {
  if (secret === true) return text === undefined ? "changed" : printable(text);
  const [was, is] = [formatValue(path, before), formatValue(path, after)];
  const repository = /^(\S+\/[^\s:@]+)[:@]/.exec(was)?.[1];
  const tagOnly = repository !== undefined && is.startsWith(`${repository}:`);
  return `${was} → ${tagOnly ? is.slice(repository.length + 1) : is}`;
}

function verdictWords({ verdict }: Reason): string {
  return {
    live: "live",
    restart: "needs a restart",
    replace: "needs a replacement",
    none: "changes nothing that runs",
  }[verdict];
}

function stepLines(change: PodChange | HostChange, options: RenderPlanOptions): readonly string[] {
  const line = stepLine(change.steps, "to" in change ? change.to : undefined);
  return line === "" ? [] : [options.paint.dim(note(line, options.columns))];
}

function afterLines(change: PodChange, columns: number | undefined): readonly string[] {
  if (change.after.length === 0) return [];
  const [first, second, ...more] = change.after;
  const named = [first, second].filter((id) => id !== undefined).join(" and ");
  return [note(`after ${named}${more.length === 0 ? "" : ` and ${more.length} more`}`, columns)];
}

function note(text: string, columns: number | undefined): string {
  return wrap(`${" ".repeat(NOTE_INDENT)}${text}`, columns, " ".repeat(NOTE_INDENT + 2));
}

function markOf(change: PodChange): Mark {
  if (change.action === "create") return "+";
  if (change.action === "remove") return "-";
  const behindOurBack = change.reasons.some(({ kind }) => kind !== "declared");
  return behindOurBack ? "!" : "~";
}

function painted(mark: Mark, paint: Paint): string {
  return { "+": paint.green, "~": paint.yellow, "!": paint.red, "-": paint.red }[mark](mark);
}
