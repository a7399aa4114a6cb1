import type { FleetManifest } from "../../model/index.ts";
import {
  type Plan,
  pausesOf,
  type RolloutPause,
  type RolloutPlan,
  servicePods,
} from "../../plan/index.ts";
import { planFleet } from "../../reconcile/index.ts";
import { tellOfRegistries } from "../apply/registry-waits.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { fleetRequest } from "../project/fleet-request.ts";
import { type LoadedFleet, loadFleet } from "../project/load-fleet.ts";
import { renderServices } from "./render-services.ts";
import { findService, type SeenServices, servicesOf } from "./services.ts";

/** `stowage rollout status`. */
export async function rolloutStatus(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const fleet = await loadFleet(args, context);
  const [, name] = args.operands;
  const known = servicesOf(fleet.manifest);
  const services = name === undefined ? known : [findService(fleet.manifest, name)];
  const seen = await seeServices(fleet, services, args, context);
  const unreachable = seen.pods.some(({ state }) => state === "unreachable");
  const converged = seen.pods.every(({ state }) => state === "declared");
  const exitCode = unreachable ? 1 : converged ? 0 : 2;
  const { stdout, paint } = context;
  if (args.flag("json")) {
    const list = services.map((service) => serviceJson(service, fleet.manifest, seen));
    stdout.write(`${JSON.stringify({ converged, exitCode, services: list })}\n`);
  } else if (services.length === 0)
    stdout.write(`Fleet ${fleet.manifest.name} declares no service.\n`);
  else stdout.write(renderServices(services, seen, { paint, columns: stdout.columns }));
  return exitCode;
}

/** Looks at the hosts of services, and plans these alone. */
export async function seeServices(
  fleet: LoadedFleet,
  services: readonly string[],
  args: Arguments,
  context: CommandContext,
): Promise<SeenServices> {
  if (services.length === 0)
    return { plan: emptyPlan(fleet.manifest), pods: [], pauses: new Map() };
  const places = selectHosts(fleet.manifest, args).flatMap(([host, { pods }]) =>
    Object.entries(pods ?? {}).flatMap(([pod, { service }]) =>
      service !== undefined && services.includes(service) ? [{ host, pod }] : [],
    ),
  );
  const { plan, observation } = await planFleet({
    ...(await fleetRequest(fleet, args, context)),
    options: {
      hosts: [...new Set(places.map(({ host }) => host))],
      pods: [...new Set(places.map(({ pod }) => pod))],
    },
    signal: context.drain,
    onProgress: tellOfRegistries(context),
  });
  const pods = servicePods(fleet.manifest, plan, observation.hosts);
  const wanted = new Set(places.map(({ host, pod }) => `${host}/${pod}`));
  const pauses = pausesOf(fleet.manifest, observation.hosts);
  return { plan, pods: pods.filter(({ id }) => wanted.has(id)), pauses };
}

function serviceJson(
  service: string,
  { hosts }: FleetManifest,
  { plan, pods, pauses }: SeenServices,
) {
  const specs = Object.values(hosts).flatMap((host) => Object.values(host.pods ?? {}));
  const policy = specs.find((each) => each.service === service)?.rollout;
  const rollout = plan.rollouts?.find((each) => each.service === service);
  return {
    service,
    ...(policy === undefined ? {} : { policy }),
    ...pausedPart(pauses.get(service), rollout),
    waves: rollout?.waves ?? [],
    pods: pods.filter((each) => each.service === service),
  };
}

function pausedPart(pause: RolloutPause | undefined, rollout: RolloutPlan | undefined) {
  return pause === undefined ? {} : { paused: { ...pause, waits: rollout?.paused?.waits ?? [] } };
}

function emptyPlan({ id: owner, name: fleet }: FleetManifest): Plan {
  const none = { hosts: [], pods: [], hostChanges: [], warnings: [], partial: true };
  return { version: "stowage/plan/v1", owner, fleet, ...none };
}
