import type { HostReader } from "../host/index.ts";
import { mapLimited } from "../internal/index.ts";
import { hostDirectories, hostLayout, type PodHistory } from "../model/index.ts";
import { type Plan, planPrune, type Retention } from "../plan/index.ts";
import { withLockedHosts } from "./apply-fleet.ts";
import type { ApplyFleetRequest } from "./apply-request.ts";
import type { HostReading } from "./connector.ts";
import { readHistories } from "./history/pod-histories.ts";
import type { LockedHosts } from "./locked-hosts.ts";
import {
  DEFAULT_PARALLELISM,
  type FleetObservation,
  observeFleet,
} from "./observe/observe-fleet.ts";
import type { PlanFleetRequest } from "./plan-fleet.ts";
import { type ApplyReport, untouchedReport } from "./report.ts";
import { runPlan } from "./run-plan.ts";
import { SecretValues } from "./secrets/secret-values.ts";

/** What would be pruned; nothing is changed anywhere. */
export async function planPruning(
  request: PlanFleetRequest & { readonly retention: Retention },
): Promise<Plan> {
  const { connector, signal, manifest, options, retention } = request;
  const readings: HostReading[] = [];
  const opened = new Map<string, HostReader>();
  try {
    const { hosts } = await observeFleet({
      ...request,
      reach: async (name, spec) => {
        const reading = await connector.read(name, spec, signal);
        readings.push(reading);
        opened.set(name, reading.host);
        return reading;
      },
    });
    const histories = await historiesOf(request, hosts, opened);
    return planPrune({ manifest, hosts, options, histories }, retention);
  } finally {
    await Promise.allSettled(readings.map((reading) => reading[Symbol.asyncDispose]()));
  }
}

/**
 * Removes what a fleet can do without on its hosts, under their locks. Safe to be killed at any moment:
 * pruning again continues.
 *
 * @throws DiagnosticsError when a host must not be worked on; nothing was touched
 */
export async function pruneFleet(
  request: ApplyFleetRequest & { readonly retention: Retention },
): Promise<ApplyReport> {
  return await withLockedHosts(request, async (locked, observation, store) => {
    const { manifest, options, retention, confirm } = request;
    const { hosts } = observation;
    const opened = new Map([...hosts.keys()].flatMap((name) => hostAt(locked, name)));
    const histories = await historiesOf(request, hosts, opened);
    const plan = planPrune({ manifest, hosts, options, histories }, retention);
    const hasSteps = [...plan.pods, ...plan.hostChanges].some(({ steps }) => steps.length > 0);
    if (!hasSteps)
      return untouchedReport(plan, plan.hostChanges.length === 0 ? "converged" : "incomplete");
    if (!(await confirm(plan))) return untouchedReport(plan, "declined");
    const secrets = new SecretValues(request);
    const run = { ...request, plan, locked, observation, store, secrets };
    return await runPlan({ ...run, audited: "prune" });
  });
}

/** Old records of the fleet's pods on hosts that were observed. */
async function historiesOf(
  { manifest, parallelism, signal }: Pick<PlanFleetRequest, "manifest" | "parallelism" | "signal">,
  hosts: FleetObservation["hosts"],
  opened: ReadonlyMap<string, HostReader>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, PodHistory>>> {
  const options = signal === undefined ? {} : { signal };
  const limit = parallelism ?? DEFAULT_PARALLELISM;
  const found = await mapLimited([...opened], limit, async ([name, host]) => {
    const spec = manifest.hosts[name];
    if (spec === undefined || hosts.get(name)?.kind !== "observed") return [];
    const layout = hostLayout(hostDirectories(spec), manifest.id, manifest.name);
    return [[name, await readHistories(host, layout, options)] as const];
  });
  return new Map(found.flat());
}

function hostAt(locked: LockedHosts, name: string): readonly (readonly [string, HostReader])[] {
  const host = locked.get(name)?.host;
  return host === undefined ? [] : [[name, host]];
}
