import { afterEach, beforeEach, expect, test } from "vitest";
import { podOf, SimFleet } from "../../../test/support/sim-fleet.ts";
import { SimKilled } from "../../engines/sim/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { HostSpec } from "../../model/index.ts";
import { markRollout } from "../rollouts/mark-rollout.ts";
import { WatchLocks } from "../watch/watch-lock.ts";
import { type UninstallRequest, uninstallHost } from "./uninstall-host.ts";

/** Of a run that never ends. */
const MANY = 80;

let fleet: SimFleet;
beforeEach(() => {
  fleet = new SimFleet("virtual");
});
afterEach(() => fleet[Symbol.dispose]());

function request(more: Partial<UninstallRequest> = {}): UninstallRequest {
  const manifest = fleet.manifest({ alpha: {} });
  return {
    ...fleet.applyRequest(manifest),
    confirm: async () => true,
    name: "alpha",
    spec: manifest.hosts["alpha"] as HostSpec,
    own: { owner: manifest.id, fleet: manifest.name },
    volumes: false,
    ...more,
  };
}

const left = () =>
  fleet
    .machine()
    .read(({ pods, images, files, links, leftovers }) => [
      ...Object.keys(pods),
      ...Object.keys(images),
      ...Object.keys(files),
      ...Object.keys(links),
      ...Object.keys(leftovers),
    ]);

test.each(["before", "after"] as const)(
  "a kill %s any of its writes: doing it again takes what is left",
  async (phase) => {
    let kills = 0;
    for (let nth = 1; nth <= MANY; nth += 1) {
      fleet[Symbol.dispose]();
      fleet = new SimFleet("virtual");
      await fleet.apply(fleet.manifest({ alpha: { web: podOf() } }));
      await fleet.apply(fleet.manifest({ alpha: { web: podOf({ env: { A: "1" } }) } }));
      fleet.faults = [{ nth, access: "write", phase, effect: "kill" }];
      const end = await uninstallHost(request()).catch((error: unknown) => error);
      fleet.faults = [];
      // one that is killed while it gives a lock back is told that the lock is held
      if (!(end instanceof SimKilled) && !StowageError.is(end, "aborted")) {
        expect(end).toMatchObject({ status: "done", problems: [] });
        break;
      }
      kills += 1;
      // whoever was killed holds the lock until it expires
      await fleet.machine().advance(60_000);
      expect(await uninstallHost(request())).toMatchObject({ status: "done", problems: [] });
      expect(left()).toEqual([]);
    }
    expect(kills).toBeGreaterThan(8);
  },
);

test("a host that was only ever told of a pause has nothing of that left", async () => {
  const service = { service: "web", rollout: { maxUnavailable: 1 } };
  await markRollout({
    ...fleet.applyRequest(fleet.manifest({ alpha: { web: podOf({}, service) } })),
    service: "web",
    paused: true,
    by: "ann@desk",
    now: () => new Date(),
  });
  expect(left()).toContain("/var/lib/stowage/acme/shop/.rollouts/web.json");
  expect(await uninstallHost(request())).toMatchObject({ status: "done", leaves: [] });
  expect(left()).toEqual([]);
});

test("what a killed pull left in the run directory is Stowage's own", async () => {
  await fleet.apply(fleet.manifest({ alpha: { web: podOf() } }));
  await fleet.machine("alpha").setFile("/run/stowage/pulls/stw-pull-x/hosts.toml", {});
  expect(await uninstallHost(request())).toMatchObject({ status: "done", leaves: [] });
  expect(left()).toEqual([]);
});

test("a pod that cannot be ended is told, and what is needed to end it stays", async () => {
  await fleet.apply(fleet.manifest({ alpha: { web: podOf() } }));
  const effect = new StowageError("Cannot stop: it hangs", { code: "deadline_exceeded" });
  fleet.faults = [{ call: "engine.stop", phase: "before", effect }];
  expect(await uninstallHost(request())).toMatchObject({
    status: "failed",
    reports: [{ status: "failed" }],
  });
  expect(left()).toContain("/var/lib/stowage/acme/shop/web.json");
  fleet.faults = [];
  expect(await uninstallHost(request())).toMatchObject({ status: "done" });
  expect(left()).toEqual([]);
});

test("a host that a fleet is watched on is refused, naming who watches, and nothing is touched", async () => {
  const manifest = fleet.manifest({ alpha: { web: podOf() } });
  await fleet.apply(manifest);
  const before = left();
  {
    await using watch = new WatchLocks(fleet.connector, "watch@there");
    await watch.take(manifest, new AbortController().signal);
    await expect(uninstallHost(request())).rejects.toThrow(
      /^Cannot uninstall from host "alpha": watch@there .* watches fleet shop on host alpha and would put everything back; end that watch first/,
    );
    expect(left()).toEqual(expect.arrayContaining(before));
  }
  expect((await uninstallHost(request())).status).toBe("done");
});
