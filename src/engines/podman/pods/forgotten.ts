import type { InspectedContainer } from "../cli/answers.ts";

/** Whether podman writes that a time never was: the year 1. */
export function isNever(time: string): boolean {
  return time.startsWith("0001-");
}

/**
 * Whether podman lost sight of a container that ran: its run directory was emptied, by a reboot or under
 * it. In the second case its process may go on.
 */
export function isForgotten({ State }: InspectedContainer): boolean {
  const { Status, StartedAt, FinishedAt } = State;
  if (isNever(StartedAt)) return false;
  if (Status === "created") return true;
  const endedBefore = isNever(FinishedAt) || Date.parse(FinishedAt) < Date.parse(StartedAt);
  return (Status === "exited" || Status === "stopped") && endedBefore;
}
