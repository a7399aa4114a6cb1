import { expect, test } from "vitest";
import {
  applied,
  fleet,
  host,
  hostWith,
  input,
  observed,
  pod,
  record,
} from "../../test/support/plan-world.ts";
import type { PodSpec } from "../model/index.ts";
import { brakes, type Plan, plan } from "./index.ts";

type Pods = Readonly<Record<string, PodSpec>>;

/** A plan over hosts: what runs on each, and what is declared for each. */
function planned(was: Readonly<Record<string, Pods>>, is: Readonly<Record<string, Pods>>): Plan {
  const names = Object.keys(is);
  const hosts = Object.fromEntries(
    names.map((name) => [name, { address: "local", engine: { kind: "sim" }, pods: is[name] }]),
  );
  const made = input(fleet({}, { hosts }), host());
  const worlds = names.map((name) => {
    const old = Object.entries(was[name] ?? {}).map(
      ([each, spec]) => [each, applied(spec)] as const,
    );
    return [
      name,
      hostWith(
        old.map(([each, entry]) => ({ ...observed(each, entry), host: name })),
        old.map(([each, entry]) => record(each, [entry])),
      ),
    ] as const;
  });
  return plan({ ...made, hosts: new Map(worlds) });
}

const changeOf = (made: Plan, id: string) => made.pods.find((change) => change.id === id);
const withData = (kind: "named" | "bind", rest: Partial<PodSpec> = {}) =>
  pod(
    { mounts: [{ volume: "data", path: "/d" }] },
    {
      volumes: { data: kind === "named" ? { kind, name: "data" } : { kind, path: "/srv" } },
      ...rest,
    },
  );

test("plan() says that a pod moves to another host, and removes the old one after the new one is proven", () => {
  const made = planned({ a: { web: pod(), db: pod() } }, { a: { db: pod() }, b: { web: pod() } });
  const [gone, comes] = [changeOf(made, "a/web"), changeOf(made, "b/web")];
  expect(gone).toMatchObject({ action: "remove", movesTo: "b", after: ["b/web"], notes: [] });
  expect(gone?.reasons[0]?.text).toBe("it is declared on b now");
  expect(comes).toMatchObject({ action: "create", movesFrom: "a" });
  expect(comes?.after).not.toContain("a/web");
});

test("plan() says that a named volume stays behind when its pod moves to another host", () => {
  const made = planned({ a: { db: withData("named") } }, { a: {}, b: { db: withData("named") } });
  expect(changeOf(made, "b/db")?.notes).toEqual([
    "the data of volume data stays on a and is not copied; it begins empty on b",
  ]);
  expect(changeOf(made, "a/db")?.after).toEqual(["b/db"]);
});

test.each([
  ["a writable path of the host", withData("bind"), "a/web"],
  ["stop-first", pod({}, { replacement: "stop-first" }), "a/web"],
  ["start-first", withData("bind", { replacement: "start-first" }), undefined],
])("plan() orders a move with %s to another host as it asks", (_, spec, before) => {
  const made = planned({ a: { web: spec } }, { a: {}, b: { web: spec } });
  const [gone, comes] = [changeOf(made, "a/web"), changeOf(made, "b/web")];
  expect(comes?.after.includes("a/web")).toBe(before !== undefined);
  expect(gone?.after).toEqual(before === undefined ? ["b/web"] : []);
  expect(gone?.notes.join()).toMatch(before === undefined ? /^$/ : /before b\/web is made/);
});

test("plan() lets pods trade hosts and a port, the old ones first where all would wait in a circle", () => {
  const web = pod({}, { network: { mode: "host" }, ports: [{ host: 80 }] });
  const made = planned({ a: { x: web }, b: { y: web } }, { a: { y: web }, b: { x: web } });
  expect(changeOf(made, "b/x")?.after).toContain("b/y");
  expect(changeOf(made, "a/y")?.after).toContain("a/x");
  expect(changeOf(made, "b/x")).toMatchObject({ movesFrom: "a" });
  const early = ["a/x", "b/y"].filter((id) =>
    changeOf(made, id)?.notes.some((note) => note.includes("in a circle")),
  );
  expect(early).toHaveLength(1);
});

test("plan() calls none of several pods of one name a move, unless they are of one service", () => {
  const on = (spec: PodSpec) =>
    planned(
      { a: { web: spec }, b: { web: spec } },
      { a: {}, b: {}, c: { web: spec }, d: { web: spec } },
    );
  expect(on(pod()).pods.filter(({ movesTo }) => movesTo !== undefined)).toEqual([]);
  const moves = on(pod({}, { service: "web" })).pods.map(({ id, movesTo }) => [id, movesTo]);
  expect(moves).toEqual([
    ["a/web", "c"],
    ["b/web", "d"],
    ["c/web", undefined],
    ["d/web", undefined],
  ]);
});

test("plan() goes on with a move whose new one was never proven", () => {
  const spec = pod();
  const made = planned({ a: { web: spec } }, { a: {}, b: { web: spec } });
  const old = applied(spec);
  const half = hostWith(
    [{ ...observed("web", old, "exited", { exitCode: 1 }), host: "b" }],
    [record("web", [old], undefined)],
  );
  const unproven = half.records.get("owner-1/shop/web");
  if (unproven?.kind === "record") delete (unproven.record as { current?: number }).current;
  const manifest = fleet(
    {},
    {
      hosts: Object.fromEntries(
        made.hosts.map(({ host: name }) => [
          name,
          { address: "local", engine: { kind: "sim" }, pods: name === "b" ? { web: spec } : {} },
        ]),
      ),
    },
  );
  const a = hostWith([observed("web", old)], [record("web", [old])]);
  const again = plan({
    ...input(manifest, a),
    hosts: new Map([
      ["a", a],
      ["b", half],
    ]),
  });
  expect(changeOf(again, "a/web")).toMatchObject({ movesTo: "b", after: ["b/web"] });
});

test("brakes() lets a pod go that is proven on another host first, and counts one that goes before", () => {
  const move = (spec: PodSpec) => planned({ a: { web: spec } }, { a: {}, b: { web: spec } });
  expect(() => brakes(move(pod()))).not.toThrow();
  expect(() => brakes(move(withData("bind")))).toThrow("would remove 1 of 1 running pods (a/web)");
});
