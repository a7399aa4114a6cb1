import { StowageError } from "../errors/index.ts";
import { mapLimited } from "../internal/index.ts";
import type { KeptVolume, Plan } from "../plan/index.ts";
import { withLockedHosts } from "./apply-fleet.ts";
import type { ApplyFleetRequest } from "./apply-request.ts";
import { removeEmptyFleet } from "./execute/rosters.ts";
import { refuseWatched } from "./lock/refuse-watched.ts";
import type { LockedHosts } from "./locked-hosts.ts";
import { DEFAULT_PARALLELISM } from "./observe/observe-fleet.ts";
import { planObserved } from "./plan-fleet.ts";
import { type ApplyReport, untouchedReport } from "./report.ts";
import { openSessions, type RunPlanRequest, runPlan } from "./run-plan.ts";
import { SecretValues } from "./secrets/secret-values.ts";

/** A volume and the host that it is on. */
export interface HostVolume extends KeptVolume {
  readonly host: string;
}

/** What to destroy. */
export interface DestroyFleetRequest
  extends Omit<ApplyFleetRequest, "savedPlan" | "allowRemovals" | "lockFile"> {
  /**
   * Deletes the fleet's volumes as well, once everything else went well. Asked of its own, with all
   * that would be deleted; absent: volumes are kept.
   */
  readonly confirmVolumes?: ((volumes: readonly HostVolume[]) => Promise<boolean>) | undefined;
}

/**
 * Removes everything of a fleet from its hosts; its volumes only when that is asked for and agreed to.
 * Every question comes before anything is touched.
 *
 * @throws StowageError `failed_precondition` where somebody watches the fleet; nothing was touched
 */
export async function destroyFleet(request: DestroyFleetRequest): Promise<ApplyReport> {
  const options = { ...request.options, destroy: true };
  const asked: ApplyFleetRequest = { ...request, options };
  return await withLockedHosts(asked, async (locked, observation, store) => {
    const secrets = new SecretValues(request);
    const made = await planObserved({ ...asked, secrets }, observation, store);
    const hasSteps = [...made.pods, ...made.hostChanges].some(({ steps }) => steps.length > 0);
    const volumes = request.confirmVolumes === undefined ? [] : volumesOf(made.hosts);
    if (!hasSteps && volumes.length === 0) {
      return untouchedReport(made, made.hostChanges.length === 0 ? "converged" : "incomplete");
    }
    await refuseWatchedHosts(request, made, locked);
    if (!(await isAgreed(request, made, volumes))) return untouchedReport(made, "declined");
    const run = {
      ...asked,
      plan: made,
      locked,
      observation,
      store,
      secrets,
      audited: request.command ?? "destroy",
    };
    return await destroyPlanned(run, hasSteps, volumes);
  });
}

async function refuseWatchedHosts(
  { manifest, signal }: DestroyFleetRequest,
  { hosts }: Plan,
  locked: LockedHosts,
): Promise<void> {
  const { id: owner, name: fleet } = manifest;
  await mapLimited(hosts, DEFAULT_PARALLELISM, async ({ host: name }) => {
    const spec = manifest.hosts[name];
    const open = locked.get(name);
    if (spec === undefined || open === undefined) return;
    const place = { name, spec, owner, fleet };
    await refuseWatched(open.host, place, `destroy fleet "${fleet}"`, signal);
  });
}

async function destroyPlanned(
  run: RunPlanRequest,
  hasSteps: boolean,
  volumes: readonly HostVolume[],
): Promise<ApplyReport> {
  const report = hasSteps ? await runPlan(run) : untouchedReport(run.plan, "done");
  if (report.status !== "done" && report.status !== "incomplete") return report;
  return await deleteVolumes(report, run, volumes);
}

async function isAgreed(
  request: DestroyFleetRequest,
  made: Plan,
  volumes: readonly HostVolume[],
): Promise<boolean> {
  if (!(await request.confirm(made))) return false;
  return volumes.length === 0 || (await request.confirmVolumes?.(volumes)) === true;
}

async function deleteVolumes(
  report: ApplyReport,
  run: RunPlanRequest,
  volumes: readonly HostVolume[],
): Promise<ApplyReport> {
  const sessions = openSessions(run);
  const deletedVolumes: string[] = [];
  try {
    for (const { host, volume, path } of volumes) {
      const session = sessions.get(host);
      if (session === undefined) continue;
      await session.lock.check();
      await session.host.removeDirectory(path, { signal: session.signal });
      deletedVolumes.push(`${host}/${volume}`);
      await removeEmptyFleet(session);
    }
    return { ...report, deletedVolumes };
  } catch (error) {
    if (!StowageError.is(error)) throw error;
    const outcomes = [...report.outcomes, volumeFailure(error.message)];
    return { ...report, status: "failed", outcomes, deletedVolumes };
  } finally {
    for (const { signal } of sessions.values()) signal[Symbol.dispose]();
  }
}

function volumesOf(
  hosts: readonly { readonly host: string; readonly kept: readonly KeptVolume[] }[],
): readonly HostVolume[] {
  return hosts.flatMap(({ host, kept }) => kept.map((volume) => ({ ...volume, host })));
}

function volumeFailure(reason: string) {
  return {
    id: "volumes",
    host: "",
    action: "leave" as const,
    status: "failed" as const,
    reason,
    remedy: "fix the cause and destroy again",
    ms: 0,
  };
}
