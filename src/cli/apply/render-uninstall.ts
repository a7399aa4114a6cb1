import type { HostSurvey, Leaving, UninstallReport } from "../../reconcile/index.ts";
import { renderPlan } from "../plan/render-plan.ts";
import { wrap } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { printable } from "../text/printable.ts";
import { renderReport } from "./render-report.ts";

interface RenderOptions {
  readonly paint: Paint;
  readonly columns: number | undefined;
}

/** What would be taken off a host, and what would stay. Ends with an empty line. */
export function renderSurvey(
  { name, fleets, plans, files, leaves }: HostSurvey,
  options: RenderOptions & {
    readonly now: Date;
    readonly declaredBy: string | undefined;
    readonly volumes: boolean;
  },
): string {
  const { paint, columns, now, declaredBy, volumes: deletingVolumes } = options;
  const host = printable(name);
  const own = files.map((path) => `  - ${printable(path)}`);
  const declared =
    declaredBy === undefined
      ? []
      : [
          wrap(
            `${paint.yellow("warning:")} fleet ${declaredBy} still declares host ${host}: the next apply puts everything there again; take it out of the declaration`,
            columns,
            "  ",
          ),
        ];
  const head = fleets.length === 0 ? `No fleet has anything on host ${host}.` : "";
  return `${[
    head,
    ...plans.map((plan) =>
      renderPlan(plan, { paint, columns, now, destroying: true, deletingVolumes }).trimEnd(),
    ),
    own.length === 0 ? "" : [`Of Stowage itself on host ${host}:`, ...own].join("\n"),
    leavingLines(leaves, options),
    ...declared,
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n\n`;
}

/** What came of it. Ends with a line end. */
export function renderUninstall(report: UninstallReport, options: RenderOptions): string {
  const { paint, columns } = options;
  const { status, reports, leaves, problems, survey } = report;
  const host = printable(survey.name);
  if (status === "declined") return "Nothing has been touched.\n";
  const failed = reports.filter((each) => each.status !== "done" && each.status !== "converged");
  const deleted = reports.flatMap(({ deletedVolumes }) => deletedVolumes);
  const verdict = {
    done: `Done: nothing of Stowage's is left on host ${host}${leaves.length === 0 ? "" : ", except what is listed"}.`,
    failed: `Not everything was removed from host ${host}. Fix the cause and run it again; it continues.`,
    interrupted: `Stopped before the end; run it again to continue with host ${host}.`,
  }[status];
  return `${[
    ...failed.map((each) => renderReport(each, { paint, columns, verb: "destroy" }).trimEnd()),
    ...deleted.map((volume) => `deleted volume ${volume}`),
    ...problems.map((text) => paint.red(wrap(`not done: ${printable(text)}`, columns, "  "))),
    leavingLines(leaves, options),
    paint.bold(verdict),
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

function leavingLines(leaves: readonly Leaving[], { columns }: RenderOptions): string {
  if (leaves.length === 0) return "";
  return [
    "Left:",
    ...leaves.map(({ what, why }) =>
      wrap(`  ${printable(what)}: ${printable(why)}`, columns, "    "),
    ),
  ].join("\n");
}
