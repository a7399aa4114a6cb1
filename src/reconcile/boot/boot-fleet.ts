import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../errors/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import { PLAN_VERSION, type Plan, type PodChange, planRestarts } from "../../plan/index.ts";
import { withLockedHosts } from "../apply-fleet.ts";
import type { ApplyFleetRequest } from "../apply-request.ts";
import { runPlan } from "../run-plan.ts";
import { SecretValues } from "../secrets/secret-values.ts";
import { appliedFleet } from "./applied-fleet.ts";
import type { BootRequest } from "./boot-request.ts";
import { waitingPods } from "./waiting-pods.ts";

const PAUSE_MS = 3000;

/**
 * Starts what of a fleet ended with a host's last boot and is to run whatever happens, by what is on the
 * host: networks come with the first pod that is in them, and pods after those that they depend on.
 *
 * What cannot be started is tried again for a while. A pod whose secret files are gone is left to an apply.
 *
 * @returns whether nothing is left that could have been started
 * @throws StowageError when what was applied cannot be read
 */
export async function bootFleet(request: BootRequest): Promise<boolean> {
  const { drain, onEvent, pauseMs = PAUSE_MS } = request;
  const deadline = performance.now() + request.patienceMs;
  for (;;) {
    const reason = await bootOnce(request, deadline - performance.now());
    if (reason === undefined) return true;
    if (drain.aborted || performance.now() + pauseMs > deadline) return false;
    onEvent({ type: "not-yet", reason });
    await delay(pauseMs, undefined, { signal: drain }).catch(() => undefined);
  }
}

/** @returns why not all was started that could be; undefined when it was */
async function bootOnce(request: BootRequest, leftMs: number): Promise<string | undefined> {
  const { host, onEvent } = request;
  try {
    const apply = await applyRequest(request, Math.max(0, leftMs));
    return await withLockedHosts(apply, async (locked, observation, store) => {
      const found = observation.hosts.get(host);
      if (found?.kind !== "observed") return found?.reason ?? "the host was not reached";
      const { restarts, left } = planRestarts({ ...apply, hosts: observation.hosts });
      for (const { id, reason } of left) onEvent({ type: "left", id, reason });
      const changes = restarts.map(({ change }) => change);
      const waiting = waitingPods(changes, found);
      for (const [id, reason] of waiting) onEvent({ type: "waits", id, reason });
      const due = changes.filter(({ id }) => !waiting.has(id));
      if (due.length === 0) return undefined;
      const secrets = new SecretValues(apply);
      const plan = planOf(apply.manifest, due);
      const { outcomes } = await runPlan({ ...apply, plan, locked, observation, store, secrets });
      for (const outcome of outcomes) onEvent({ type: "started", outcome });
      const failed = outcomes.find(({ status }) => status !== "done");
      return failed === undefined ? undefined : `${failed.id}: ${failed.reason ?? failed.status}`;
    });
  } catch (error) {
    if (StowageError.is(error, "aborted") || StowageError.is(error, "unavailable"))
      return error.message;
    throw error;
  }
}

async function applyRequest(
  request: BootRequest,
  lockTimeoutMs: number,
): Promise<ApplyFleetRequest> {
  const { connector, host, spec, appliedBy, drain, abort } = request;
  const reading = await connector.read(host, spec, abort);
  try {
    return {
      connector,
      manifest: await appliedFleet(reading.host, request),
      manifestDir: "/",
      environment: {},
      options: {},
      appliedBy,
      lockTimeoutMs,
      confirm: async () => true,
      onEvent: () => {},
      draining: drain,
      signal: abort,
    };
  } finally {
    await reading[Symbol.asyncDispose]();
  }
}

function planOf({ id: owner, name: fleet }: FleetManifest, pods: readonly PodChange[]): Plan {
  const nothing = { hosts: [], hostChanges: [], warnings: [] };
  return { version: PLAN_VERSION, owner, fleet, ...nothing, pods, partial: true };
}
