import { hostDirectories, hostLayout } from "../../model/index.ts";
import type { ApplyFleetRequest } from "../apply-request.ts";
import { lookingSignal } from "../apply-request.ts";
import type { HostAccess } from "../connector.ts";
import { destroyFleet } from "../destroy-fleet.ts";
import type { HostLock } from "../lock/held-lock.ts";
import { acquireHostLock } from "../lock/host-lock.ts";
import { lockRequest, readLockState } from "../lock/lock-file.ts";
import type { ApplyReport } from "../report.ts";
import { ownFiles } from "./own-files.ts";
import { type HostSurvey, type Leaving, type SurveyRequest, surveyHost } from "./survey-host.ts";
import { type Sweep, sweepEngines, sweepFiles, sweepUnits } from "./sweep.ts";

/** What to take Stowage off, and how. */
export interface UninstallRequest
  extends Omit<SurveyRequest, "connector">,
    Pick<ApplyFleetRequest, "connector" | "appliedBy" | "lockTimeoutMs" | "onEvent" | "draining"> {
  /** Asked once, with all that would go, before anything is touched. */
  readonly confirm: (survey: HostSurvey) => Promise<boolean>;
}

/** What came of an uninstall. */
export interface UninstallReport {
  /** `failed`: something of Stowage's is still there; doing it again continues. */
  readonly status: "done" | "declined" | "failed" | "interrupted";
  readonly survey: HostSurvey;
  /** Of each fleet's end that was begun. */
  readonly reports: readonly ApplyReport[];
  /** What was removed beside the fleets' own. */
  readonly removed: readonly string[];
  readonly leaves: readonly Leaving[];
  /** Why it failed beside what the fleets' reports say. */
  readonly problems: readonly string[];
}

/**
 * Takes everything of Stowage's off a host: the fleets on it, then what is of no fleet, under its lock, and
 * the lock last. Safe to be killed at any moment: doing it again continues.
 *
 * @throws StowageError when the host cannot be asked or locked; `failed_precondition` where a fleet on it is watched
 */
export async function uninstallHost(request: UninstallRequest): Promise<UninstallReport> {
  const survey = await surveyHost({ ...request, signal: lookingSignal(request) });
  const reports: ApplyReport[] = [];
  const nothing = { survey, reports, removed: [], leaves: survey.leaves, problems: [] };
  if (!(await request.confirm(survey))) return { ...nothing, status: "declined" };
  for (const { manifest, elsewhere } of survey.fleets) {
    const report = await destroyFleet({
      ...request,
      manifest,
      options: { forgetHosts: elsewhere },
      command: "uninstall",
      confirm: async () => true,
      ...(request.volumes ? { confirmVolumes: async () => true } : {}),
    });
    reports.push(report);
    if (report.status === "done" || report.status === "converged") continue;
    const status = report.status === "interrupted" ? "interrupted" : "failed";
    return { ...nothing, status };
  }
  const sweep = await sweepHost(request, survey);
  const { removed, problems } = sweep;
  const leaves = [...survey.leaves, ...sweep.leaves];
  return {
    survey,
    reports,
    removed,
    leaves,
    problems,
    status: problems.length > 0 ? "failed" : "done",
  };
}

async function sweepHost(request: UninstallRequest, survey: HostSurvey): Promise<Sweep> {
  const { name, spec, connector, signal } = request;
  const sweep: Sweep = { removed: [], leaves: [], problems: [] };
  await using access = await connector.open(name, spec, signal);
  const lock = await lockOf(request, access);
  try {
    const parts = { access, lock, spec, signal, sweep };
    await sweepEngines(parts, survey.engines);
    await sweepUnits(parts);
    // notes of an engine that still holds something are needed to take that away
    if (sweep.problems.length === 0) await sweepFiles(parts);
  } finally {
    await lock[Symbol.asyncDispose]();
  }
  if (sweep.problems.length === 0) await sweepDirectories(access, request, sweep);
  return sweep;
}

async function lockOf(request: UninstallRequest, { host }: HostAccess): Promise<HostLock> {
  const { name, spec, appliedBy, lockTimeoutMs, signal, onEvent } = request;
  return await acquireHostLock({
    host,
    name,
    lockDir: hostLayout(hostDirectories(spec), "", "").lockDir,
    owner: `${appliedBy} (pid ${process.pid})`,
    timeoutMs: lockTimeoutMs,
    session: new Map(),
    signal,
    onWait: (holder) => onEvent({ type: "lock-waiting", host: name, holder }),
  });
}

/** The lock's own directory, and those that are empty then. Somebody who has taken the lock since keeps it. */
async function sweepDirectories(
  { host }: HostAccess,
  { name, spec, signal }: UninstallRequest,
  sweep: Sweep,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const directories = hostDirectories(spec);
  const { lockDir } = hostLayout(directories, "", "");
  const state = readLockState(await host.snapshot(lockRequest(lockDir), options), lockDir);
  if (state.isHeld) {
    sweep.problems.push(
      `somebody else is working on host ${name} now; run uninstall again after that`,
    );
    return;
  }
  await host.removeDirectory(lockDir, options);
  for (const path of [directories.runDir, directories.stateDir]) {
    const { entries } = await host.snapshot({ list: [path] }, options);
    const left = entries.get(path);
    if (left === undefined) continue;
    if (left.length === 0) {
      await host.removeDirectory(path, options);
      sweep.removed.push(path);
    }
  }
  const { owners } = await ownFiles(host, spec, signal);
  for (const path of owners) await keepOwner(host, path, sweep, options);
}

/** What is left of an owner's directory: volumes, which are listed already, or unknown files. */
async function keepOwner(
  host: HostAccess["host"],
  path: string,
  sweep: Sweep,
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  const { entries } = await host.snapshot({ list: [path] }, options);
  const fleets = (entries.get(path) ?? []).map((fleet) => `${path}/${fleet}`);
  const inside = await host.snapshot({ list: fleets }, options);
  for (const fleet of fleets) {
    const names = inside.entries.get(fleet) ?? [];
    const known = [".volumes", ".history", ".rollouts"];
    const others = names.filter((name) => !known.includes(name));
    if (others.length === 0) continue;
    const what = others.map((name) => `${fleet}/${name}`).join(", ");
    sweep.leaves.push({ what, why: "it is not known what it belongs to" });
  }
}
