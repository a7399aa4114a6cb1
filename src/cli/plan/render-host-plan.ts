import { engineName } from "../../model/index.ts";
import type { HostChange, HostPlan, KeptVolume, PodChange, Step } from "../../plan/index.ts";
import { shortDigests } from "../text/format-value.ts";
import { pad, textWidth, wrap } from "../text/layout.ts";
import { printable } from "../text/printable.ts";
import { formatBytes, formatTransfer } from "../text/quantities.ts";
import { type HostView, type Mark, paintedMark } from "./plan-view.ts";
import { renderPodChange } from "./render-pod-change.ts";
import { stepLine } from "./step-words.ts";

const HOST_MARKS: Readonly<Record<HostChange["action"], Mark>> = {
  import: "+",
  claim: "+",
  release: "-",
  clean: "!",
  roster: "~",
  boot: "~",
  rename: "~",
  leave: "-",
  unreachable: "!",
};

/** Steps that the sentence of their change says already. */
const SAID: ReadonlySet<Step["kind"]> = new Set([
  "import-image",
  "claim-image",
  "release-image",
  "write-roster",
  "remove-roster",
]);

/** One host's part of a plan; empty when there is nothing to say. */
export function renderHostPlan(
  host: HostPlan,
  pods: readonly PodChange[],
  changes: readonly HostChange[],
  view: HostView,
): string {
  const { kept, ended = [] } = host;
  if (pods.length + changes.length + kept.length + ended.length === 0) return "";
  const { paint } = view;
  const nameWidth = Math.max(0, ...pods.map(({ pod }) => textWidth(pod)));
  return [
    `${paint.bold(pad(host.host, view.nameWidth))}  ${engineWords(host)}`,
    ...changes.flatMap((change) => hostChangeLines(change, view)),
    ...pods.flatMap((change) => renderPodChange(change, nameWidth, view)),
    ...ended.map((name) =>
      paint.dim(wrap(`    ended (exit 0): ${name} has done its work`, view.columns, "      ")),
    ),
    ...kept.map((volume) => volumeLine(volume, view)),
  ].join("\n");
}

function engineWords({ engine, info, declared, was = [] }: HostPlan): string {
  const version = info === undefined ? "" : ` ${printable(info.version)}`;
  const [before] = was;
  const now = before === undefined ? engine.kind : engineName(engine, before);
  const old = was.map((each) => engineName(each, engine)).join(" and ");
  return `${now}${version}${old === "" ? "" : `, was ${old}`}${declared ? "" : ", leaves the fleet"}`;
}

function volumeLine({ volume, path, sizeBytes }: KeptVolume, view: HostView): string {
  const size = sizeBytes === undefined ? "" : ` (${formatBytes(sizeBytes)})`;
  const what = `volume ${volume}${size} at ${printable(path)}`;
  if (!view.deletingVolumes) return wrap(`    kept: ${what}`, view.columns, "      ");
  return wrap(
    `  ${paintedMark("-", view.paint)} ${what}, with all data in it`,
    view.columns,
    "    ",
  );
}

function sizeWords(step: Step): string {
  if (!("sizeBytes" in step) || step.sizeBytes === undefined) return "";
  const size = formatTransfer(step.sizeBytes);
  return step.kind === "release-image" ? `; frees up to ${size}` : ` (${size})`;
}

function hostChangeLines(
  change: HostChange,
  { paint, columns, waiting }: HostView,
): readonly string[] {
  const mark = paintedMark(HOST_MARKS[change.action], paint);
  const [only, ...more] = change.steps;
  const size = only === undefined ? "" : sizeWords(only);
  const waits = waiting.has(change.id) ? paint.yellow("   waits") : "";
  const isSaid = only === undefined || (more.length === 0 && SAID.has(only.kind));
  return [
    wrap(`  ${mark} ${shortDigests(printable(change.text))}${size}${waits}`, columns, "    "),
    ...(isSaid ? [] : [paint.dim(wrap(`      ${stepLine(change.steps)}`, columns, "        "))]),
  ];
}
