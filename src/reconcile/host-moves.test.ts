import { describe, expect, test } from "vitest";
import { podOf, type SimFleet } from "../../test/support/sim-fleet.ts";
import { openFleet } from "../../test/support/web-service.ts";
import type { PodSpec } from "../model/index.ts";

type Pods = Readonly<Record<string, unknown>>;

const DATA = podOf(
  { mounts: [{ volume: "data", path: "/data" }] },
  { volumes: { data: { kind: "named", name: "data" } } },
);

const on = (fleet: SimFleet, a: Pods, b: Pods) => fleet.manifest({ a, b });

async function moved(before: object, after: object = before, more: Pods = {}) {
  const fleet = openFleet();
  for (const host of ["a", "b"]) await fleet.machine(host).setFile("/srv/shared/x", { text: "" });
  await fleet.apply(on(fleet, { web: before, ...more }, {}));
  const manifest = on(fleet, more, { web: after });
  const { pods } = (await fleet.plan(manifest)).plan;
  const [old, next] = ["a/web", "b/web"].map((id) => pods.find((each) => each.id === id));
  return { fleet, manifest, old, next };
}

describe("a pod that is declared on another host", () => {
  test("moves there in the words of the plan, and for programs", async () => {
    const { old, next } = await moved(podOf());
    expect(old).toMatchObject({ action: "remove", reasons: [{ text: "it moves to b" }, {}] });
    expect(next).toMatchObject({
      action: "create",
      reasons: [{ text: "it moves here from a" }, {}],
    });
    const host = { path: "host", before: "a", after: "b" };
    for (const change of [old, next]) expect(change?.reasons[1]).toMatchObject(host);
  });

  test("stays until the new one is proven, and where that fails", async () => {
    const { fleet, manifest, old, next } = await moved(podOf());
    expect(old?.after).toContain("b/web");
    expect(next?.after).not.toContain("a/web");
    const crashing = on(fleet, {}, { web: podOf({ command: ["sh", "-c", "exit 3"] }) });
    const { outcomes } = await fleet.apply(crashing);
    expect(outcomes.find(({ id }) => id === "b/web")?.status).not.toBe("done");
    expect(outcomes.find(({ id }) => id === "a/web")?.status).not.toBe("done");
    const running = fleet
      .machine("a")
      .read(({ pods }) => Object.values(pods).map(({ containers }) => containers["main"]?.state));
    expect(running).toEqual(["running"]);
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect((await fleet.plan(manifest)).plan.pods).toEqual([]);
    expect(fleet.machine("a").read(({ pods }) => Object.keys(pods))).toEqual([]);
  });

  test.each<[string, Partial<PodSpec>, boolean]>([
    ["is declared stop-first", { replacement: "stop-first" }, true],
    ["is declared start-first", { replacement: "start-first", volumes: shared() }, false],
    ["writes to a path that hosts may share", { volumes: shared() }, true],
    ["writes to a volume of its host", { volumes: DATA.volumes as PodSpec["volumes"] }, false],
  ])("that %s: the old one goes first: %o, %s", async (_title, more, oldFirst) => {
    const mounts = [{ volume: "data", path: "/data" }];
    const { old, next } = await moved(
      podOf(more.volumes === undefined ? {} : { mounts }, more as Partial<PodSpec>),
    );
    expect(next?.after.includes("a/web")).toBe(oldFirst);
    expect(old?.after.includes("b/web")).toBe(!oldFirst);
  });

  test("leaves its volumes behind, which the plan says", async () => {
    const { next } = await moved(DATA);
    expect(next?.notes).toContain(
      "what is in volume data on a stays there, and does not come along to b",
    );
    expect((await moved(podOf())).next?.notes.join()).not.toContain("volume");
  });

  test("waits for nothing that waits for it", async () => {
    const port = { network: { mode: "host" }, ports: [{ host: 8080 }] } as const;
    const fleet = openFleet();
    await fleet.apply(on(fleet, { web: podOf({}, port), db: podOf() }, {}));
    // db takes over the port that the old web gives up, and the new web comes after db
    const manifest = on(
      fleet,
      { db: podOf({}, port) },
      { web: podOf({}, { dependsOn: ["a/db"] } as object) },
    );
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect((await fleet.plan(manifest)).plan.pods).toEqual([]);
  });

  test("is not taken for another of its name", async () => {
    const fleet = openFleet();
    const all = (a: Pods, b: Pods, c: Pods) => fleet.manifest({ a, b, c });
    await fleet.apply(all({ web: podOf() }, { web: podOf() }, {}));
    const { pods } = (await fleet.plan(all({}, {}, { web: podOf() }))).plan;
    expect(pods.map(({ id, reasons }) => `${id} ${reasons[0]?.text}`)).toEqual([
      "a/web it is not declared",
      "b/web it is not declared",
      "c/web it is new",
    ]);
  });
});

function shared(): PodSpec["volumes"] {
  return { data: { kind: "bind", path: "/srv/shared" } } as PodSpec["volumes"];
}
