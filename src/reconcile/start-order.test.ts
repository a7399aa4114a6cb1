import { describe, expect, onTestFinished, test } from "vitest";
import { IMAGE, OTHER_IMAGE, SimFleet } from "../../test/support/sim-fleet.ts";
import type { ContainerSpec, PodSpec } from "../model/index.ts";
import { isConverged, planRestarts } from "../plan/index.ts";

const SHARED = [{ volume: "shared", path: "/s" }];

function openFleet(): SimFleet {
  const fleet = new SimFleet();
  onTestFinished(() => fleet[Symbol.dispose]());
  return fleet;
}

function sh(source: string, more: Partial<ContainerSpec> = {}): ContainerSpec {
  return { image: IMAGE, command: ["/bin/sh", "-c", source], mounts: SHARED, ...more };
}

/** Two init containers and one that needs what both have done. */
function ordered(
  change: { first?: string; main?: Partial<ContainerSpec> } = {},
  pod: Partial<PodSpec> = {},
) {
  const { first = "echo one >> /s/list; echo first done", main = {} } = change;
  return {
    volumes: { shared: { kind: "named" as const, name: "shared" } },
    containers: {
      app: sh("cat /s/list; sleep 1000000", main),
      // by name it would come before the one that it waits for
      afterwards: sh("cat /s/list; echo two >> /s/list", {
        init: true,
        dependsOn: { first: "completed" },
      }),
      first: sh(first, { init: true }),
    },
    ...pod,
  };
}

function podsOf(fleet: SimFleet) {
  return fleet
    .machine("alpha")
    .read((state) => Object.values(state.pods).map((pod) => structuredClone(pod)));
}

function logOf(fleet: SimFleet, container: string): string {
  return JSON.stringify(podsOf(fleet)[0]?.containers[container]?.log);
}

describe("init containers", () => {
  test("run one after another to their end, before the others, and the plan is empty then", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: ordered() } });
    const report = await fleet.apply(manifest);
    expect(report.status).toBe("done");
    expect(logOf(fleet, "afterwards")).toContain("one");
    expect(logOf(fleet, "app")).toMatch(/one.*two/);
    const { plan } = await fleet.plan(manifest);
    expect(plan.pods).toEqual([]);
    expect(isConverged(plan)).toBe(true);
    expect(plan.hosts[0]?.ended).toBeUndefined();
  });

  test("one that fails fails the apply with its last lines, and nothing after it is started", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({
      alpha: { web: ordered({ first: "echo no database; exit 3" }) },
    });
    const { outcomes } = await fleet.apply(manifest);
    const outcome = outcomes.find(({ id }) => id === "alpha/web");
    expect(outcome).toMatchObject({ status: "failed", failedStep: "start" });
    expect(outcome?.reason).toContain("init container first ended with exit code 3");
    expect(outcome?.logs).toContainEqual({ container: "first", text: "no database" });
    const [pod] = podsOf(fleet);
    expect(pod?.containers["app"]?.state).toBe("prepared");
    expect(pod?.containers["afterwards"]?.state).toBe("prepared");
  });

  test("one of a new generation that fails brings the old one back, in order", async () => {
    const fleet = openFleet();
    await fleet.apply(fleet.manifest({ alpha: { web: ordered() } }));
    const broken = ordered({ first: "exit 1", main: { image: OTHER_IMAGE } });
    const { outcomes } = await fleet.apply(fleet.manifest({ alpha: { web: broken } }));
    expect(outcomes.find(({ id }) => id === "alpha/web")?.status).toBe("rolled-back");
    expect(podsOf(fleet).map(({ containers }) => containers["app"]?.state)).toEqual(["running"]);
    const { plan } = await fleet.plan(fleet.manifest({ alpha: { web: ordered() } }));
    expect(plan.pods).toEqual([]);
  });

  test("run again before the others after a reboot", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: ordered() } });
    await fleet.apply(manifest);
    await fleet.machine("alpha").reboot();
    const { plan } = await fleet.plan(manifest);
    expect(plan.pods.map(({ action }) => action)).toEqual(["start"]);
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect(logOf(fleet, "app")).toMatch(/one.*two.*one.*two.*one.*two/);
  });

  test("run again when an apply starts the others, of which none runs any more", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: ordered() } });
    await fleet.apply(manifest);
    const identity = { owner: "acme", fleet: "shop", host: "alpha", pod: "web", generation: 1 };
    await fleet.machine("alpha").kill(identity, "app");
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect(logOf(fleet, "app")).toMatch(/one.*two.*one.*two.*one.*two/);
  });

  test("do not run again for one of several containers, and do when none is left", async () => {
    const fleet = openFleet();
    const web = ordered({}, { restart: { policy: "always" } });
    const manifest = fleet.manifest({
      alpha: { web: { ...web, containers: { ...web.containers, side: sh("sleep 1000000") } } },
    });
    await fleet.apply(manifest);
    const due = async () => {
      const { hosts } = (await fleet.plan(manifest)).observation;
      const { restarts } = planRestarts({ manifest, hosts, options: {} });
      expect(restarts.map(({ byEngine }) => byEngine)).toEqual([false]);
      return restarts[0]?.change.steps.flatMap((step) =>
        step.kind === "start" ? (step.containers ?? []) : [],
      );
    };
    const identity = { owner: "acme", fleet: "shop", host: "alpha", pod: "web", generation: 1 };
    await fleet.machine("alpha").kill(identity, "app");
    expect(await due()).toEqual(["app"]);
    await fleet.machine("alpha").kill(identity, "side");
    expect(await due()).toEqual(["afterwards", "first", "app", "side"]);
  });
});

describe("conditions", () => {
  test("a container starts when the one that it depends on is healthy, and not before", async () => {
    const fleet = openFleet();
    const probe = {
      kind: "exec" as const,
      command: ["/bin/sh", "-c", "[ -e /s/ready ]"],
      intervalMs: 20,
      retries: 500,
    };
    const manifest = fleet.manifest({
      alpha: {
        web: {
          volumes: { shared: { kind: "named", name: "shared" } },
          containers: {
            db: sh("sleep 0.3; echo x > /s/ready; sleep 1000000", { health: probe }),
            app: sh("cat /s/ready; sleep 1000000", { dependsOn: { db: "healthy" } }),
          },
        },
      },
    });
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect(logOf(fleet, "app")).toContain("x");
  });

  test("a pod waits for another to be completed, and for one to be started no longer than that", async () => {
    const fleet = openFleet();
    const volumes = { shared: { kind: "named" as const, name: "shared" } };
    const never = {
      kind: "exec" as const,
      command: ["/bin/sh", "-c", "[ -e /s/ok ]"],
      intervalMs: 20,
      retries: 500,
    };
    const manifest = fleet.manifest({
      alpha: {
        job: {
          volumes,
          restart: { policy: "on-failure" },
          containers: { job: sh("sleep 0.3; echo done > /s/job") },
        },
        web: {
          volumes,
          dependsOn: ["job:completed", "slow:started"],
          containers: { app: sh("cat /s/job; echo y > /s/ok; sleep 1000000") },
        },
        // healthy only once the one that waits for its start runs
        slow: { volumes, containers: { slow: sh("sleep 1000000", { health: never }) } },
      },
    });
    const report = await fleet.apply(manifest);
    expect(report.status).toBe("done");
    const web = podsOf(fleet).find(({ identity }) => identity.pod === "web");
    expect(JSON.stringify(web?.containers["app"]?.log)).toContain("done");
    expect(fleet.steps()).toContain("alpha/job wait-completed");
    expect(isConverged((await fleet.plan(manifest)).plan)).toBe(true);
  });
});
