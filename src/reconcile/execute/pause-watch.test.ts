import { expect, test } from "vitest";
import { StowageError } from "../../errors/index.ts";
import { hostLayout, type RolloutMark } from "../../model/index.ts";
import type { Plan, RolloutPlan } from "../../plan/index.ts";
import type { HostSession } from "./host-session.ts";
import { PauseWatch, type PauseWatchRequest } from "./pause-watch.ts";
import { RolloutGate } from "./rollout-gate.ts";

const MARK: RolloutMark = {
  version: 1,
  service: "web",
  revision: 2,
  paused: true,
  by: "ann@desk",
  at: "2026-01-02T03:04:05Z",
};
const LAYOUT = hostLayout({ stateDir: "/s", runDir: "/r" }, "acme", "shop");

/** A gate over waves of one host each; what a host says is asked for when it is looked at. */
function gateOf(
  says: Readonly<Record<string, () => string | undefined>>,
  marks: PauseWatchRequest["marks"] = new Map(),
) {
  const asked: string[] = [];
  const names = Object.keys(says);
  const sessions = new Map(
    names.map((name) => {
      const host = {
        snapshot: async () => {
          asked.push(name);
          const text = says[name]?.();
          return { files: new Map(text === undefined ? [] : [[LAYOUT.rolloutFile("web"), text]]) };
        },
      };
      const session = {
        host,
        layout: LAYOUT,
        spec: {},
        signal: new AbortController().signal,
        context: { owner: "acme", fleet: "shop" },
        observation: { records: new Map() },
      };
      return [name, session as unknown as HostSession] as const;
    }),
  );
  const rollout: RolloutPlan = {
    service: "web",
    policy: { maxUnavailable: 1 },
    waves: names.map((name) => ({ kind: "wave", changes: [`${name}/web`] })),
    done: 0,
  };
  const reasons = [{ kind: "declared", path: "", verdict: "replace" }];
  const pods = names.map((name) => ({ id: `${name}/web`, action: "replace", reasons }));
  const plan = { pods } as unknown as Plan;
  const gate = new RolloutGate(rollout, new PauseWatch({ plan, rollout, sessions, marks }));
  const enter = async (name: string) => {
    await gate.begin(`${name}/web`, new AbortController().signal);
    const pause = gate.holds(`${name}/web`);
    return pause?.by ?? pause?.problem;
  };
  return { asked, enter };
}

test("the hosts of a wave are looked at once before it begins, and none after a pause was found", async () => {
  const text = { now: undefined as string | undefined };
  const { asked, enter } = gateOf({
    a: () => undefined,
    b: () => text.now,
    c: () => undefined,
  });
  expect(await Promise.all([enter("a"), enter("a")])).toEqual([undefined, undefined]);
  text.now = JSON.stringify(MARK);
  expect(await enter("b")).toBe("ann@desk");
  // it stays so, whatever is said then: a wave was passed over
  text.now = JSON.stringify({ ...MARK, revision: 3, paused: false });
  expect(await enter("b")).toBe("ann@desk");
  expect(await enter("c")).toBe("ann@desk");
  expect(asked).toEqual(["a", "b"]);
});

test("a host that cannot be asked stops nothing, and an older mark than one that was seen neither", async () => {
  const { enter } = gateOf({
    a: () => {
      throw new StowageError("Cannot ask a", { code: "unavailable" });
    },
    b: () => JSON.stringify({ ...MARK, paused: false }),
    c: () => JSON.stringify({ ...MARK, revision: 1 }),
    d: () => "{",
  });
  expect(await enter("a")).toBeUndefined();
  expect(await enter("b")).toBeUndefined();
  expect(await enter("c")).toBeUndefined();
  expect(await enter("d")).toContain("it is not valid JSON");
});

test("a host that nothing is done on has its say: a pause that was resumed there stops nobody", async () => {
  const mark = { ...MARK, paused: false };
  const resumed = { host: "z", reading: { kind: "mark" as const, mark } };
  const older = { a: () => JSON.stringify({ ...MARK, revision: 1 }) };
  expect(await gateOf(older).enter("a")).toBe("ann@desk");
  expect(await gateOf(older, new Map([["web", [resumed]]])).enter("a")).toBeUndefined();
});
