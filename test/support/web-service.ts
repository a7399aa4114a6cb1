import { onTestFinished } from "vitest";
import type { FleetManifest, Rollout } from "../../src/model/index.ts";
import { OTHER_IMAGE, podOf, SimFleet } from "./sim-fleet.ts";

/** Hosts of the service that {@link webService} declares. */
export const WEB_HOSTS = ["a", "b", "c", "d", "e"];

const CRASH = ["sh", "-c", "exit 1"];

/** Simulated hosts that go when the test ends. */
export function openFleet(clock?: "real" | "virtual"): SimFleet {
  const fleet = new SimFleet(clock);
  onTestFinished(() => fleet[Symbol.dispose]());
  return fleet;
}

/** A service `web` on five hosts; on some of them its new version does not work. */
export function webService(
  fleet: SimFleet,
  rollout: Rollout | undefined,
  image = OTHER_IMAGE,
  crashes: readonly string[] = [],
  command: readonly string[] = CRASH,
  more: Readonly<Record<string, unknown>> = {},
): FleetManifest {
  const service = { service: "web", ...(rollout === undefined ? {} : { rollout }) };
  const pods = WEB_HOSTS.map((name) => [
    name,
    { web: podOf({ image, ...(crashes.includes(name) ? { command } : {}) }, service) },
  ]);
  return fleet.manifest(Object.fromEntries(pods), more);
}

/** The version that runs on each host, and `down` where none does. */
export function runningWeb(fleet: SimFleet): string {
  return WEB_HOSTS.map((name) =>
    fleet.machine(name).read((state) => {
      const pods = Object.values(state.pods).flatMap(({ containers }) => Object.values(containers));
      const runs = pods.filter((each) => each.state === "running");
      return runs.map((each) => each.image.reference.replace("example.test/app:", "")).join("+");
    }),
  )
    .map((image) => (image === "" ? "down" : image))
    .join(" ");
}

/** What came of the service's pods, in the order of its hosts. */
export function webStatuses(report: {
  readonly outcomes: readonly {
    readonly host: string;
    readonly pod?: string;
    readonly status: string;
  }[];
}): string {
  const statuses = new Map(
    report.outcomes.flatMap(({ pod, host, status }) => (pod === "web" ? [[host, status]] : [])),
  );
  return WEB_HOSTS.map((name) => statuses.get(name) ?? "-").join(" ");
}
