import type { Plan } from "../plan/index.ts";
import type { ApplyReport } from "../reconcile/index.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { planJson } from "./plan-json.ts";
import { JsonProgress, PeopleProgress, type Progress } from "./progress.ts";
import { renderPlan } from "./render-plan.ts";
import { renderReport } from "./render-report.ts";

/** How the run of a plan is asked for and shown. */
export interface RunFleetOptions {
  readonly json: boolean;
  readonly yes: boolean;
  /** Asked after the plan was shown. */
  readonly question: string;
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
  const confirm = async (plan: Plan): Promise<boolean> => {
    options.check?.(plan);
    showPlan(context, plan, options);
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
    options.check?.(report.plan);
    showReport(context, report, options.json);
    return report.status === "done" || report.status === "converged" ? 0 : 1;
  } finally {
    progress.end();
    context.drain.removeEventListener("abort", stopping);
  }
}

function showPlan(
  { stdout, paint, now }: CommandContext,
  plan: Plan,
  { json, declaredPods }: RunFleetOptions,
): void {
  if (json) stdout.write(`${JSON.stringify({ type: "plan", plan: planJson(plan) })}\n`);
  else
    stdout.write(
      `${renderPlan(plan, { paint, columns: stdout.columns, now: now(), declaredPods })}\n`,
    );
}

function showReport({ stdout, paint }: CommandContext, report: ApplyReport, json: boolean): void {
  const { status, outcomes, deletedVolumes, ms } = report;
  if (json)
    stdout.write(`${JSON.stringify({ type: "report", status, outcomes, deletedVolumes, ms })}\n`);
  else stdout.write(renderReport(report, { paint, columns: stdout.columns }));
}
