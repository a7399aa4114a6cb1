import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IMAGE, OTHER_IMAGE, podOf, SimFleet } from "../../test/support/sim-fleet.ts";
import { renderPlan } from "../cli/plan/render-plan.ts";
import { paintOf } from "../cli/text/paint.ts";
import { SimKilled } from "../engines/sim/index.ts";
import type { EngineConfig, FleetManifest } from "../model/index.ts";
import { imagesOnly, type Retention } from "../plan/index.ts";
import { planPruning, pruneFleet } from "./prune-fleet.ts";

/** Of a run that never ends. */
const MANY = 60;
const OLD = { kind: "sim" } as const;
const NEW = { kind: "sim", store: "new", runOnce: true } as const;

let fleet: SimFleet;
beforeEach(() => {
  fleet = new SimFleet("virtual");
});
afterEach(() => fleet[Symbol.dispose]());

function on(engine: EngineConfig, pods: Readonly<Record<string, unknown>>): FleetManifest {
  const { hosts, ...rest } = fleet.manifest({ alpha: pods });
  return { ...rest, hosts: { alpha: { ...hosts["alpha"], engine } } } as FleetManifest;
}

const prune = (manifest: FleetManifest, retention: Retention = { keep: 1 }) =>
  pruneFleet({ ...fleet.applyRequest(manifest), retention });

const plan = (manifest: FleetManifest, retention: Retention = { keep: 1 }) =>
  planPruning({ ...fleet.applyRequest(manifest), retention });

async function words(manifest: FleetManifest, retention?: Retention): Promise<string> {
  const options = { paint: paintOf(false), columns: undefined, now: new Date() };
  return renderPlan(await plan(manifest, retention), options);
}

function images(store: "old" | "new" = "old"): readonly string[] {
  return fleet
    .machine()
    .read((state) => Object.keys((store === "old" ? state : state.stores?.["new"])?.images ?? {}))
    .map((name) => name.replace(/@.*/, ""));
}

/** Names of the pods in the old engine. */
const oldPods = () =>
  fleet.machine().read((state) => Object.values(state.pods).map(({ identity }) => identity.pod));

describe("images", () => {
  const web = podOf();
  const other = podOf({ image: OTHER_IMAGE });

  test("that no pod uses go, with what that frees; what runs and what is declared stays", async () => {
    await fleet.apply(on(OLD, { web }));
    const next = on(OLD, { web: other });
    await fleet.apply(next, { narrow: imagesOnly });
    expect(images()).toHaveLength(2);
    expect((await prune(next)).status).toBe("converged");
    const text = await words(on(OLD, { web }));
    expect(text).toMatch(/- image example\.test\/app:2@\S+ is used by no pod; frees up to \d/);
    expect(text).not.toContain("app:1");
    expect(images()).toHaveLength(2);
    expect((await prune(on(OLD, { web }))).status).toBe("done");
    expect(images()).toEqual([IMAGE]);
    expect((await prune(on(OLD, { web }))).status).toBe("converged");
  });

  test("of the applied generation stay though another one is declared", async () => {
    await fleet.apply(on(OLD, { web }));
    expect((await prune(on(OLD, { web: other }))).status).toBe("converged");
    expect(images()).toEqual([IMAGE]);
  });

  test("of others stay: of another fleet, of nobody's, and what their containers use", async () => {
    const others = { ...fleet.manifest({ alpha: { web: other } }), name: "store" };
    await fleet.apply(others);
    await fleet.machine().addForeignImage("example.test/own:1", `sha256:${"a".repeat(64)}`);
    await fleet.apply(on(OLD, { web }));
    expect((await prune(on(OLD, { web }))).status).toBe("converged");
    expect((await prune(on(OLD, {}))).status).toBe("converged");
    expect(images().toSorted()).toEqual([IMAGE, OTHER_IMAGE, "example.test/own:1"].toSorted());
  });

  test("need no registry and no image on disk", async () => {
    await fleet.apply(on(OLD, { web }));
    await fleet.apply(on(OLD, { web: other }), { narrow: imagesOnly });
    const lost = { ...on(OLD, { web }), images: { [IMAGE]: { layout: "gone" } } };
    expect((await prune(lost)).status).toBe("done");
    expect(images()).toEqual([IMAGE]);
  });
});

describe("old generations that were kept", () => {
  const web = podOf();

  async function moved(): Promise<FleetManifest> {
    await fleet.apply(on(OLD, { web }));
    const manifest = on(NEW, { web });
    expect((await fleet.apply(manifest, { options: { keepOld: true } })).status).toBe("done");
    return manifest;
  }

  test("stay within the retention, and while the pod was applied since", async () => {
    const manifest = await moved();
    expect((await prune(manifest)).status).toBe("converged");
    const before = Date.now() - 3_600_000;
    expect((await prune(manifest, { keep: 0, before })).status).toBe("converged");
    expect(oldPods()).toEqual(["web"]);
  });

  test("go beyond it with their image, and it is said that the way back is lost", async () => {
    const manifest = await moved();
    const text = await words(manifest, { keep: 0 });
    expect(text).toContain(
      "its old generation 1 was kept in sim (no store), and no way back to it is left",
    );
    expect(text).toMatch(
      /image example\.test\/app:1@\S+ in sim \(no store\) is there for generation 1 of pod web only, which cannot be restored without it; frees up to/,
    );
    expect((await prune(manifest, { keep: 0, before: Date.now() + 1000 })).status).toBe("done");
    expect([oldPods(), images("old"), images("new")]).toEqual([[], [], [IMAGE]]);
    const { plan: left } = await fleet.plan(manifest, { options: { keepOld: true } });
    expect([left.pods, left.hostChanges.filter(({ action }) => action !== "roster")]).toEqual([
      [],
      [],
    ]);
  });

  test.each(["before", "during", "after"] as const)(
    "are pruned to the same end by a run that was killed %s any writing call, and another",
    async (phase) => {
      let kills = 0;
      for (let nth = 1; nth <= MANY; nth += 1) {
        fleet[Symbol.dispose]();
        fleet = new SimFleet("virtual");
        const manifest = await moved();
        const writes = countWrites();
        fleet.faults = [{ nth, access: "write", phase, effect: "kill" }];
        try {
          await prune(manifest, { keep: 0 });
        } catch (error) {
          if (!(error instanceof SimKilled)) throw error;
          kills += 1;
        }
        fleet.faults = [];
        fleet.onCall = undefined;
        // whoever was killed holds the lock until it expires
        await fleet.machine().advance(60_000);
        const { status } = await prune(manifest, { keep: 0 });
        expect(["done", "converged"]).toContain(status);
        expect([oldPods(), images("old"), images("new")]).toEqual([[], [], [IMAGE]]);
        if (writes() < nth) break;
      }
      if (phase !== "during") expect(kills).toBeGreaterThan(3);
    },
  );
});

/** How many writing calls there are from now on. */
function countWrites(): () => number {
  let most = 0;
  fleet.onCall = ({ nthWrite }) => {
    most = Math.max(most, nthWrite);
  };
  return () => most;
}

test("what a killed apply left goes as well, and pods that run stay", async () => {
  const manifest = on(OLD, { web: podOf() });
  await fleet.apply(manifest);
  await fleet.machine().write((state) => {
    state.leftovers["stw-import-x"] = "unfinished import of app:1";
  });
  expect(await words(manifest)).toContain("stw-import-x");
  expect((await prune(manifest)).status).toBe("done");
  expect((await prune(manifest)).status).toBe("converged");
  expect(oldPods()).toEqual(["web"]);
});
