import type { ChangeOutcome } from "../../reconcile/index.ts";
import { printable } from "../text/printable.ts";
import { formatDuration } from "../text/quantities.ts";

const DONE_WORDS: Readonly<Record<ChangeOutcome["action"], string>> = {
  create: "created",
  start: "started",
  update: "updated",
  restart: "restarted",
  replace: "replaced",
  "move-engine": "moved",
  remove: "removed",
  adopt: "finished",
  clean: "cleaned up",
  import: "image imported",
  claim: "image shared",
  release: "image released",
  roster: "roster written",
  boot: "set up for the next boot",
  rename: "renamed",
  leave: "left the fleet",
  unreachable: "not reached",
};

/** Actions that plans call otherwise than the code does. */
const PLAN_WORDS: Readonly<Record<string, string>> = {
  adopt: "finish",
  clean: "clean up",
  "move-engine": "move",
};

const STATUS_WORDS: Readonly<Record<Exclude<ChangeOutcome["status"], "done">, string>> = {
  failed: "failed",
  "rolled-back": "rolled back",
  skipped: "skipped",
  "not-run": "not done",
};

/** What came of a change, in a few words. */
export function outcomeWords({ action, status, ms, failedStep }: ChangeOutcome): string {
  if (status === "done") return `${DONE_WORDS[action]} in ${formatDuration(ms)}`;
  const during = failedStep === undefined ? "" : ` (${failedStep})`;
  return `${STATUS_WORDS[status]}: ${actionWord(action)}${during}`;
}

/** An action by the word that the plan had for it. */
export function actionWord(action: string): string {
  return PLAN_WORDS[action] ?? action;
}

/** `host/pod`, or the host alone. */
export function outcomePlace({ host, pod }: ChangeOutcome): string {
  return printable(pod === undefined ? host : `${host}/${pod}`);
}
