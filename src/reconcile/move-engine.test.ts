import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IMAGE, OTHER_IMAGE, podOf, SimFleet } from "../../test/support/sim-fleet.ts";
import { renderPlan } from "../cli/plan/render-plan.ts";
import { paintOf } from "../cli/text/paint.ts";
import type { Engine } from "../engine/index.ts";
import { StowageError } from "../errors/index.ts";
import { type EngineConfig, type FleetManifest, parseRoster } from "../model/index.ts";
import type { Connector, HostAccess } from "./connector.ts";
import { destroyFleet } from "./destroy-fleet.ts";
import { otherEngines } from "./observe/other-engines.ts";

const OLD = { kind: "sim" } as const;
const NEW = { kind: "sim", store: "new", runOnce: true } as const;
const STATE = "/var/lib/stowage/acme/shop";

let fleet: SimFleet;
beforeEach(() => {
  fleet = new SimFleet("virtual");
});
afterEach(() => fleet[Symbol.dispose]());

function on(
  engine: EngineConfig,
  pods: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): FleetManifest {
  const { hosts, ...rest } = fleet.manifest({ alpha: pods }, more);
  const [name = "", spec] = Object.entries(hosts)[0] ?? [];
  return { ...rest, hosts: { [name]: { ...spec, engine } } } as FleetManifest;
}

/** Pods by engine and name, with their state. */
function pods(): readonly string[] {
  return fleet
    .machine()
    .read((state) =>
      [["old", state] as const, ["new", state.stores?.["new"] ?? { pods: {} }] as const].flatMap(
        ([engine, store]) =>
          Object.values(store.pods).map(
            ({ identity, containers }) => `${engine} ${identity.pod} ${containers["main"]?.state}`,
          ),
      ),
    );
}

function images(store: "old" | "new"): readonly string[] {
  return fleet
    .machine()
    .read((state) => Object.keys((store === "old" ? state : state.stores?.["new"])?.images ?? {}));
}

async function converged(manifest: FleetManifest, options = {}): Promise<boolean> {
  const { plan } = await fleet.plan(manifest, { options });
  return plan.pods.length === 0 && plan.hostChanges.length === 0;
}

const data = { volumes: { data: { kind: "named", name: "data" } } } as const;
const mounts = [{ volume: "data", path: "/data" }];
const exclusive = podOf({ mounts }, data);

describe("a pod whose host has another engine now", () => {
  test("is moved: prepared there, stopped here, started, committed, removed here", async () => {
    await fleet.apply(on(OLD, { web: exclusive }));
    fleet.events.length = 0;
    const report = await fleet.apply(on(NEW, { web: exclusive }));
    expect(report.status).toBe("done");
    expect(report.plan.pods[0]).toMatchObject({ action: "move-engine", interrupts: true });
    expect(fleet.steps().filter((step) => step.startsWith("alpha/web"))).toEqual(
      ["prepare", "stop", "start", "wait-healthy", "commit", "remove"].map(
        (step) => `alpha/web ${step}`,
      ),
    );
    expect(pods()).toEqual(["new web running"]);
    expect(images("old")).toEqual([]);
    expect(await converged(on(NEW, { web: exclusive }))).toBe(true);
  });

  test("that holds nothing to itself starts there before it stops here", async () => {
    await fleet.apply(on(OLD, { web: podOf() }));
    const { plan } = await fleet.plan(on(NEW, { web: podOf() }));
    expect(plan.pods[0]).toMatchObject({ interrupts: false });
    expect(plan.pods[0]?.steps.map(({ kind }) => kind)).toEqual([
      "prepare",
      "start",
      "wait-healthy",
      "commit",
      "stop",
      "remove",
    ]);
  });

  test("is shown with where it moves, what is lost, and on which engine each step acts", async () => {
    const web = podOf({ oomScoreAdj: 1, mounts }, data);
    await fleet.apply(on(OLD, { web }));
    const { plan } = await fleet.plan(on(NEW, { web }));
    const text = renderPlan(plan, { paint: paintOf(false), columns: undefined, now: new Date() });
    expect(text).toContain("alpha  sim (store new) 1.0.0, was sim (no store)");
    expect(text).toContain(
      "  > web   move from sim (no store) to sim (store new)   down for a moment",
    );
    expect(text).toContain("lost on sim: changing oom score adj without losing the writable layer");
    expect(text).toContain(
      "hand the image over · prepare on sim · stop on sim (no store) · start · check that it runs · remove from sim (no store)",
    );
    expect(text).toContain("1 pod to change: 1 move;");
  });

  test("goes back to the old engine when it does not start on the new one", async () => {
    await fleet.apply(on(OLD, { web: exclusive, good: podOf() }));
    const broken = podOf({ mounts, command: ["/nonexistent/x"] }, data);
    const manifest = on(NEW, { web: broken, good: podOf() });
    const report = await fleet.apply(manifest);
    expect(report.outcomes).toContainEqual(
      expect.objectContaining({ id: "alpha/web", status: "rolled-back" }),
    );
    expect(pods().toSorted()).toEqual(["new good running", "old web running"]);
    const { plan } = await fleet.plan(manifest);
    expect(plan.pods.map(({ pod, action }) => `${pod} ${action}`)).toEqual(["web move-engine"]);
    await fleet.apply(on(OLD, { web: exclusive, good: podOf() }));
    expect(pods().toSorted()).toEqual(["old good running", "old web running"]);
  });

  test("gets its image from the old engine, without a source of its own", async () => {
    await fleet.apply(on(OLD, { web: podOf() }));
    const bare = { ...on(NEW, { web: podOf() }), images: {} };
    const { plan } = await fleet.plan(bare);
    expect(plan.hostChanges.map(({ text }) => text)).toContain(
      `hand image ${IMAGE} over from sim (no store)`,
    );
    expect((await fleet.apply(bare)).status).toBe("done");
    expect(pods()).toEqual(["new web running"]);
  });

  test("gets its image from disk where the old engine has not all bytes of it any more", async () => {
    await fleet.apply(on(OLD, { web: podOf() }));
    await fleet.machine().write((state) => {
      delete state.bytes;
    });
    expect((await fleet.apply(on(NEW, { web: podOf() }))).status).toBe("done");
    expect(pods()).toEqual(["new web running"]);
  });

  test("that its record does not name is no difference where the engine is the same", async () => {
    await fleet.apply(on(OLD, { web: exclusive }));
    const older = (text: string): string => {
      const json = JSON.parse(text) as Record<string, unknown>;
      const strip = JSON.stringify({ ...json, version: 1 }, (key, value: unknown) =>
        key === "config" || (key === "engine" && typeof value === "object") ? undefined : value,
      );
      return strip;
    };
    await fleet.machine().write((state) => {
      for (const path of [`${STATE}/web.json`, `${STATE}/.roster.json`]) {
        const file = state.files[path];
        if (file !== undefined) state.files[path] = { ...file, text: older(file.text) };
      }
    });
    expect(await converged(on(OLD, { web: exclusive }))).toBe(true);
  });

  test("is found by the roster when its record is lost", async () => {
    await fleet.apply(on(OLD, { web: exclusive }));
    await fleet.machine().setFile(`${STATE}/web.json`, undefined);
    expect((await fleet.apply(on(NEW, { web: exclusive }))).status).toBe("done");
    expect(pods()).toEqual(["new web running"]);
    expect(await converged(on(NEW, { web: exclusive }))).toBe(true);
  });

  test("alone is moved by --pod; the others are still found afterwards", async () => {
    const both = { web: podOf(), db: exclusive };
    await fleet.apply(on(OLD, both));
    await fleet.apply(on(NEW, both), { options: { pods: ["web"] } });
    expect(pods().toSorted()).toEqual(["new web running", "old db running"]);
    await fleet.machine().setFile(`${STATE}/db.json`, undefined);
    await fleet.apply(on(NEW, both));
    expect(pods().toSorted()).toEqual(["new db running", "new web running"]);
    expect(images("old")).toEqual([]);
  });
});

describe("an image whose layers the old engine keeps in another form", () => {
  /** Hands images over as an engine does that compresses layers anew: another manifest, the same config. */
  function remaking(connector: Connector): Connector {
    const open: Connector["open"] = async (name, spec) => {
      const access = await connector.open(name, spec);
      const engineAt: HostAccess["engineAt"] = async (config) =>
        remade(await access.engineAt(config));
      return { ...access, engineAt };
    };
    return { read: connector.read, open };
  }

  function remade(engine: Engine): Engine {
    return new Proxy(engine, {
      get(target, key) {
        if (key !== "exportImage") {
          const member = Reflect.get(target, key) as unknown;
          return typeof member === "function" ? member.bind(target) : member;
        }
        return async (image: Parameters<Engine["exportImage"]>[0]) => {
          const exported = await target.exportImage(image);
          if (exported === undefined) return undefined;
          const { content } = exported;
          const bytes = Buffer.from(`{"remade":"${content.manifest.digest}"}`);
          const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
          return {
            ...exported,
            content: {
              ...content,
              manifest: { ...content.manifest, digest, size: bytes.length },
              open: (wanted: string, offset?: number) =>
                wanted === digest ? stream(bytes) : content.open(wanted, offset),
            },
          };
        };
      },
    });
  }

  async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield bytes;
  }

  test("is the same image by its config, in the record and in every later plan", async () => {
    await fleet.apply(on(OLD, { web: exclusive }));
    const before = images("old");
    const manifest = on(NEW, { web: exclusive });
    const report = await fleet.apply(manifest, { connector: remaking(fleet.connector) });
    expect(report.status).toBe("done");
    expect(images("new")).toHaveLength(1);
    expect(images("new")).not.toEqual(before);
    expect(await converged(manifest)).toBe(true);
    await fleet.apply(on(OLD, { web: exclusive }));
    expect(pods()).toEqual(["old web running"]);
    expect(await converged(on(OLD, { web: exclusive }))).toBe(true);
  });
});

test("a roster of before there was a choice names another engine by its kind", () => {
  const reading = parseRoster(
    JSON.stringify({
      version: 1,
      owner: "acme",
      fleet: "shop",
      manager: "cli",
      hosts: { alpha: { address: "local", engine: "containerd" } },
      appliedAt: "2026-01-01T00:00:00Z",
      appliedBy: "a@b",
    }),
  );
  const files = { records: new Map(), rosters: new Map([["acme/shop", reading]]) };
  const find = (config: EngineConfig) => otherEngines(files, { name: "alpha", config });
  expect(find({ kind: "sim" })).toEqual([{ kind: "containerd" }]);
  expect(find({ kind: "containerd", socket: "/run/x.sock" })).toEqual([]);
});

describe("--keep-old", () => {
  const keepOld = { options: { keepOld: true } };

  test("leaves the old generation stopped, and a plan that says so again has nothing to do", async () => {
    await fleet.apply(on(OLD, { web: exclusive }));
    await fleet.apply(on(NEW, { web: exclusive }), keepOld);
    expect(pods()).toEqual(["old web exited", "new web running"]);
    expect(await converged(on(NEW, { web: exclusive }), keepOld.options)).toBe(true);
  });

  test("is over with the next apply without it", async () => {
    await fleet.apply(on(OLD, { web: exclusive }));
    await fleet.apply(on(NEW, { web: exclusive }), keepOld);
    const { plan } = await fleet.plan(on(NEW, { web: exclusive }));
    expect(plan.pods[0]).toMatchObject({ action: "clean" });
    expect(plan.pods[0]?.reasons[0]?.text).toContain("is removed without --keep-old");
    await fleet.apply(on(NEW, { web: exclusive }));
    expect(pods()).toEqual(["new web running"]);
    expect(images("old")).toEqual([]);
    expect(await converged(on(NEW, { web: exclusive }))).toBe(true);
  });

  test("is over with a move back, which says that it was kept, and not that an apply was cut short", async () => {
    await fleet.apply(on(OLD, { web: exclusive }));
    await fleet.apply(on(NEW, { web: exclusive }), keepOld);
    const { plan } = await fleet.plan(on(OLD, { web: exclusive }), keepOld);
    const texts = plan.pods.flatMap(({ reasons }) => reasons.map(({ text }) => text));
    expect(texts).toContain(
      "generation 1 was kept here by --keep-old, and is removed for a new one",
    );
    expect(texts.join()).not.toContain("cut short");
    await fleet.apply(on(OLD, { web: exclusive }), keepOld);
    expect(pods()).toEqual(["old web running", "new web exited"]);
    expect(await converged(on(OLD, { web: exclusive }), keepOld.options)).toBe(true);
  });

  test("lasts through a replacement on the new engine", async () => {
    await fleet.apply(on(OLD, { web: exclusive }));
    await fleet.apply(on(NEW, { web: exclusive }), keepOld);
    const changed = on(NEW, {
      web: podOf({ image: OTHER_IMAGE, mounts }, data),
    });
    await fleet.apply(changed, keepOld);
    expect(pods()).toEqual(["old web exited", "new web running"]);
    expect(await converged(changed, keepOld.options)).toBe(true);
  });
});

describe("an old engine", () => {
  test("that is gone takes its pods along: a warning, new ones, and nobody looks for it again", async () => {
    await fleet.apply(on(OLD, { web: exclusive }));
    await fleet.machine().uninstall(undefined, "it was removed");
    const manifest = on(NEW, { web: exclusive });
    const { plan } = await fleet.plan(manifest);
    expect(plan.pods[0]).toMatchObject({ action: "create" });
    expect(plan.pods[0]?.reasons[0]?.text).toBe("it is lost with sim (no store)");
    expect(plan.warnings[0]).toContain("these pods are lost with it: web");
    expect((await fleet.apply(manifest)).status).toBe("done");
    const { observation } = await fleet.plan(manifest);
    expect(observation.hosts.get("alpha")).toMatchObject({ others: [] });
    expect(await converged(manifest)).toBe(true);
  });

  test("that does not answer refuses the plan, as processes may run there, until it is given up", async () => {
    await fleet.apply(on(OLD, { web: exclusive }));
    const error = new StowageError("Cannot reach it: it hangs", { code: "unavailable" });
    fleet.silent.set("sim", error);
    const manifest = on(NEW, { web: exclusive });
    await expect(fleet.plan(manifest)).rejects.toThrow(/does not answer: Cannot reach it/);
    const given = { options: { forgetEngines: ["sim"] } };
    expect((await fleet.apply(manifest, given)).status).toBe("done");
    expect(await converged(manifest)).toBe(true);
  });

  test("is cleaned by destroy as well", async () => {
    const both = { web: podOf(), db: exclusive };
    await fleet.apply(on(OLD, both));
    await fleet.apply(on(NEW, both), { options: { pods: ["web"] } });
    const report = await destroyFleet(fleet.applyRequest(on(NEW, both)));
    expect(report.status).toBe("done");
    expect(pods()).toEqual([]);
    expect([...images("old"), ...images("new")]).toEqual([]);
  });
});

test("a saved plan is refused when the other engine has moved on", async () => {
  await fleet.apply(on(OLD, { web: exclusive }));
  const manifest = on(NEW, { web: exclusive });
  const { plan } = await fleet.plan(manifest, { options: { fingerprints: true } });
  await fleet
    .machine()
    .kill({ owner: "acme", fleet: "shop", host: "alpha", pod: "web", generation: 1 }, "main");
  await expect(fleet.apply(manifest, { savedPlan: plan })).rejects.toThrow(/changed since/);
});

describe("a pod that depends on one that moves with it to another engine", () => {
  const both = (db: object) => ({ db, web: podOf({}, { dependsOn: ["db"] }) });
  const stops = () => fleet.steps().filter((step) => /(?: stop| commit)$/.test(step));

  test("moves after it, which goes from the old engine when the new one is proven", async () => {
    await fleet.apply(on(OLD, both(podOf())));
    fleet.events.length = 0;
    expect((await fleet.apply(on(NEW, both(podOf())))).status).toBe("done");
    expect(stops()).toEqual([
      "alpha/db commit",
      "alpha/db stop",
      "alpha/web commit",
      "alpha/web stop",
    ]);
  });

  test("stays with it where the new one does not run", async () => {
    await fleet.apply(on(OLD, both(podOf())));
    const broken = both(podOf({ command: ["sh", "-c", "exit 3"] }));
    const { outcomes } = await fleet.apply(on(NEW, broken));
    const found = outcomes.flatMap(({ pod, status }) => (pod === undefined ? [] : [pod, status]));
    expect(found).toEqual(["db", "rolled-back", "web", "skipped"]);
    expect(pods().toSorted()).toEqual(["old db running", "old web running"]);
  });
});

test("an engine that another fleet of the host has is not written down as one of this fleet's", async () => {
  const mine = on(OLD, { web: podOf() });
  await fleet.apply(mine);
  await fleet.apply(on(NEW, { web: podOf() }, { name: "neighbour" }));
  const stop = new AbortController();
  const { status } = await fleet.apply(on(OLD, { web: podOf({ env: { NEW: "1" } }) }), {
    draining: stop.signal,
    confirm: async () => {
      stop.abort();
      return true;
    },
  });
  expect(status).toBe("interrupted");
  expect(await converged(mine)).toBe(true);
});
