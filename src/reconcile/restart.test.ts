import { expect, test } from "vitest";
import { podsOf, recordOf } from "../../test/support/applied-fleet.ts";
import { IMAGE, OTHER_IMAGE, podOf, type SimFleet } from "../../test/support/sim-fleet.ts";
import { openFleet, WEB_HOSTS, webService, webStatuses } from "../../test/support/web-service.ts";
import { StowageError } from "../errors/index.ts";
import type { FleetManifest, PodIdentity } from "../model/index.ts";
import { isConverged } from "../plan/index.ts";

/** Begins pods anew, by `host/pod`. */
async function restart(fleet: SimFleet, manifest: FleetManifest, ...ids: readonly string[]) {
  fleet.events.length = 0;
  const parts = ids.map((id) => id.split("/") as [string, string]);
  return await fleet.apply(manifest, {
    options: {
      hosts: [...new Set(parts.map(([host]) => host))],
      pods: [...new Set(parts.map(([, pod]) => pod))],
      restart: ids,
    },
  });
}

/** Generation and processes of each pod. */
function processes(fleet: SimFleet, host = "alpha"): Readonly<Record<string, string>> {
  return Object.fromEntries(
    podsOf(fleet, host).map(({ identity, containers }) => [
      identity.pod,
      `${identity.generation} ${Object.values(containers).map(({ state, pid }) => `${state} ${pid}`)}`,
    ]),
  );
}

test("the named pods get new processes in the same generation, and nothing else is done", async () => {
  const fleet = openFleet();
  const manifest = fleet.manifest({ alpha: { web: podOf(), other: podOf() } });
  await fleet.apply(manifest);
  const [before, record] = [processes(fleet), recordOf(fleet)];
  const report = await restart(fleet, manifest, "alpha/web");
  expect(report.status).toBe("done");
  expect(report.plan.pods).toMatchObject([
    { id: "alpha/web", action: "restart", interrupts: true },
  ]);
  expect(report.plan.pods[0]?.reasons).toMatchObject([
    { kind: "asked", text: "a restart was asked for" },
  ]);
  expect(report.plan.hostChanges).toEqual([]);
  expect(fleet.steps()).toEqual(["alpha/web stop", "alpha/web start", "alpha/web wait-healthy"]);
  const after = processes(fleet);
  expect(after["web"]).toMatch(/^1 running/);
  expect(after["web"]).not.toBe(before["web"]);
  expect(after["other"]).toBe(before["other"]);
  expect(recordOf(fleet)).toEqual(record);
  expect(isConverged((await fleet.plan(manifest)).plan)).toBe(true);
});

test("a pod with changes that were not applied is refused, and none is begun anew", async () => {
  const fleet = openFleet();
  await fleet.apply(fleet.manifest({ alpha: { web: podOf(), other: podOf() } }));
  const before = processes(fleet);
  const changed = fleet.manifest({ alpha: { web: podOf({ image: OTHER_IMAGE }), other: podOf() } });
  await expect(restart(fleet, changed, "alpha/other", "alpha/web")).rejects.toThrow(
    /pod "web" has changes that are not applied yet \(containers\.main\.image\)[\s\S]*stowage apply --pod web --host alpha/,
  );
  expect(processes(fleet)).toEqual(before);
  // those of pods that are not named are nobody's business
  expect((await restart(fleet, changed, "alpha/other")).status).toBe("done");
  expect(processes(fleet)["web"]).toBe(before["web"]);
  const fresh = fleet.manifest({ alpha: { fresh: podOf() } });
  await expect(restart(fleet, fresh, "alpha/fresh")).rejects.toThrow(/are not applied yet/);
});

test("a pod whose image is gone from its engine stays up", async () => {
  const fleet = openFleet();
  const manifest = fleet.manifest({ alpha: { web: podOf() } });
  await fleet.apply(manifest);
  const names = fleet.machine().read(({ images }) => Object.keys(images));
  for (const name of names) await fleet.machine().deleteImage(name);
  const before = processes(fleet);
  await expect(restart(fleet, manifest, "alpha/web")).rejects.toThrow(/and a restart applies none/);
  const nowhere = fleet.manifest({ alpha: { web: podOf() } }, { images: {} });
  await expect(restart(fleet, nowhere, "alpha/web")).rejects.toThrow(/The plan of fleet/);
  expect(processes(fleet)).toEqual(before);
});

test("a pod that has ended for good is told and not begun, and one that is down is started", async () => {
  const fleet = openFleet();
  const job = podOf({ command: ["sh", "-c", "exit 0"] }, { restart: { policy: "on-failure" } });
  const manifest = fleet.manifest({ alpha: { job, web: podOf() } });
  await fleet.apply(manifest);
  const before = processes(fleet)["job"];
  const none = await restart(fleet, manifest, "alpha/job");
  expect(none.status).toBe("converged");
  expect(none.plan.warnings).toEqual([
    "alpha/job has ended, as its restart policy allows, and is not restarted",
  ]);
  const [web] = podsOf(fleet).filter(({ identity }) => identity.pod === "web");
  await fleet.machine().kill(web?.identity as PodIdentity, "main");
  const both = await restart(fleet, manifest, "alpha/job", "alpha/web");
  expect(both.plan.pods).toMatchObject([{ id: "alpha/web", action: "start" }]);
  expect(both.status).toBe("done");
  expect(processes(fleet)["web"]).toMatch(/^1 running/);
  expect(processes(fleet)["job"]).toBe(before);
});

test("a pod that has a name with another host's one that is meant is left alone", async () => {
  const fleet = openFleet();
  const both = { web: podOf(), db: podOf() };
  await fleet.apply(fleet.manifest({ alpha: both, beta: both }));
  const changed = { web: podOf(), db: podOf({ image: OTHER_IMAGE }) };
  const manifest = fleet.manifest({ alpha: changed, beta: both });
  const before = [processes(fleet, "alpha")["db"], processes(fleet, "beta")["web"]];
  const report = await restart(fleet, manifest, "alpha/web", "beta/db");
  expect(report.plan.pods.map(({ id }) => id)).toEqual(["alpha/web", "beta/db"]);
  expect(report.plan.hostChanges).toEqual([]);
  expect(report.status).toBe("done");
  expect([processes(fleet, "alpha")["db"], processes(fleet, "beta")["web"]]).toEqual(before);
});

test("a host that cannot be reached is told, and the others are done", async () => {
  const fleet = openFleet();
  const manifest = fleet.manifest({ alpha: { web: podOf() }, beta: { web: podOf() } });
  await fleet.apply(manifest);
  const before = processes(fleet, "beta")["web"];
  fleet.down.set("alpha", new StowageError("It is away", { code: "unavailable" }));
  const report = await restart(fleet, manifest, "alpha/web", "beta/web");
  expect(report.status).not.toBe("done");
  expect(report.plan.hostChanges).toMatchObject([{ id: "alpha/unreachable" }]);
  expect(processes(fleet, "beta")["web"]).not.toBe(before);
});

test("what others depend on is begun anew first, and waited for", async () => {
  const fleet = openFleet();
  const manifest = fleet.manifest({
    alpha: { app: podOf({}, { dependsOn: ["db"] }), db: podOf() },
  });
  await fleet.apply(manifest);
  expect((await restart(fleet, manifest, "alpha/app", "alpha/db")).status).toBe("done");
  const steps = (id: string) => ["stop", "start", "wait-healthy"].map((kind) => `${id} ${kind}`);
  expect(fleet.steps()).toEqual([...steps("alpha/db"), ...steps("alpha/app")]);
});

test("a service goes in the waves that it declares, and a canary that does not come up ends it", async () => {
  const fleet = openFleet();
  const rollout = { canary: 1, maxUnavailable: 1 };
  // the second start of it fails
  const command = ["sh", "-c", "test -e /once && exit 1; touch /once; sleep 1000000"];
  const manifest = webService(fleet, rollout, IMAGE, ["a"], command);
  expect((await fleet.apply(manifest)).status).toBe("done");
  const others = WEB_HOSTS.filter((host) => host !== "a").map((host) => `${host}/web`);
  const well = await restart(fleet, manifest, ...others);
  expect(webStatuses(well)).toBe("- done done done done");
  const order = fleet.steps().filter((step) => !step.endsWith("start"));
  expect(order).toEqual(others.flatMap((id) => [`${id} stop`, `${id} wait-healthy`]));
  const ill = await restart(fleet, manifest, "a/web", ...others);
  expect(webStatuses(ill)).toBe("failed skipped skipped skipped skipped");
});
