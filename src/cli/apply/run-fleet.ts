import type { Plan } from "../../plan/index.ts";
import type { ApplyReport } from "../../reconcile/index.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { planJson } from "../plan/plan-json.ts";
import { renderPlan, renderWarnings } from "../plan/render-plan.ts";
import { JsonProgress, PeopleProgress, type Progress } from "./progress.ts";
import { type RunVerb, renderReport } from "./render-report.ts";

/** How the run of a plan is asked for and shown. */
export interface RunFleetOptions {
  readonly json: boolean;
  readonly yes: boolean;
  /** Asked after the plan was shown. */
  readonly question: string;
  /** @defaultValue apply */
  readonly verb?: RunVerb;
  /** Volumes are to go as well; they have a question of their own. */
  readonly deletingVolumes?: boolean;
  /** Pods that the manifest declares. */
  readonly declaredPods?: number;
  /** Told the plan before it is shown; may refuse it. */
  readonly check?: (plan: Plan) => void;
}

/** What {@link runFleet} gives to the work. */
export interface RunFleetHooks {
  readonly confirm: (plan: Plan) => Promise<boolean>;
  readonly onEvent: Progress["show"];
}

/** Shows a plan, asks, shows its progress and its report. */
export async function runFleet(
  context: CommandContext,
  options: RunFleetOptions,
  work: (hooks: RunFleetHooks) => Promise<ApplyReport>,
): Promise<ExitCode> {
  const { stdout, paint, env } = context;
  const live = stdout.isTerminal && env["TERM"] !== "dumb";
  const progress = options.json
    ? new JsonProgress(stdout)
    : new PeopleProgress(stdout, paint, live);
  let shown = false;
  const show = (plan: Plan): void => {
    options.check?.(plan);
    const bringsImages = options.verb === "pull" || options.verb === "push";
    if (!shown && !bringsImages) showPlan(context, plan, options);
    shown = true;
  };
  const confirm = async (plan: Plan): Promise<boolean> => {
    show(plan);
    const agreed = options.yes || (await context.confirm(options.question));
    if (agreed) progress.begin(plan);
    return agreed;
  };
  const stopping = (): void => {
    context.stderr.write("Finishing what is running; Ctrl-C again stops at once.\n");
  };
  context.drain.addEventListener("abort", stopping, { once: true });
  try {
    const report = await work({ confirm, onEvent: (event) => progress.show(event) });
    progress.end();
    if (report.status === "incomplete" || report.status === "paused") show(report.plan);
    else options.check?.(report.plan);
    // what could not be observed is not what the manifest says
    if (report.status === "converged" && !shown) showWarnings(context, report.plan, options);
    showReport(context, report, options);
    if (report.status === "paused") return 2;
    return report.status === "done" || report.status === "converged" ? 0 : 1;
  } finally {
    progress.end();
    context.drain.removeEventListener("abort", stopping);
  }
}

function showPlan(
  { stdout, paint, now }: CommandContext,
  plan: Plan,
  { json, declaredPods, verb = "apply", deletingVolumes }: RunFleetOptions,
): void {
  if (json) stdout.write(`${JSON.stringify({ type: "plan", plan: planJson(plan) })}\n`);
  else {
    const { columns } = stdout;
    const words = { declaredPods, destroying: verb === "destroy", deletingVolumes };
    const text = renderPlan(plan, { paint, columns, now: now(), ...words });
    stdout.write(`${text}\n`);
  }
}

/** Of a plan with nothing to do only what it warns of is shown. */
function showWarnings(
  { stdout, paint }: CommandContext,
  plan: Plan,
  { json }: RunFleetOptions,
): void {
  if (plan.warnings.length === 0) return;
  if (json) stdout.write(`${JSON.stringify({ type: "plan", plan: planJson(plan) })}\n`);
  else stdout.write(`${renderWarnings(plan, { paint, columns: stdout.columns })}\n\n`);
}

function showReport(
  { stdout, paint }: CommandContext,
  report: ApplyReport,
  { json, verb = "apply" }: RunFleetOptions,
): void {
  const { status, outcomes, deletedVolumes, ms } = report;
  const line = { type: "report", status, outcomes, deletedVolumes, ms };
  if (json) stdout.write(`${JSON.stringify(line)}\n`);
  else stdout.write(renderReport(report, { paint, columns: stdout.columns, verb }));
}
