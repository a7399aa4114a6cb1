import { beforeEach, describe, expect, test } from "vitest";
import { podOf, type SimFleet } from "../../../test/support/sim-fleet.ts";
import { openFleet } from "../../../test/support/web-service.ts";
import { renderPlan } from "../../cli/plan/render-plan.ts";
import { paintOf } from "../../cli/text/paint.ts";
import { StowageError } from "../../errors/index.ts";
import type { HostSpec, NumberedRecord, PodSpec } from "../../model/index.ts";
import type { ApplyEvent } from "../index.ts";
import { readPodRecords } from "./pod-records.ts";
import { rollbackTarget, rolledBack } from "./rollback.ts";

const { signal } = new AbortController();

let fleet: SimFleet;
beforeEach(() => {
  fleet = openFleet("virtual");
});

const web = (log: string, more: Partial<PodSpec> = {}) => podOf({ env: { LOG: log } }, more);
const on = (host: "a" | "b", pod: object) =>
  fleet.manifest({ a: host === "a" ? { web: pod } : {}, b: host === "b" ? { web: pod } : {} });

/** What a host knows of the pod, newest first: number, what it was, and where. */
async function known(host: string): Promise<readonly string[]> {
  const manifest = on("a", web("1"));
  const spec = manifest.hosts[host] as HostSpec;
  const { host: reader } = await fleet.connector.read(host, spec);
  const records = (await readPodRecords(reader, manifest, spec, signal)).get("web") ?? [];
  return records.map(wordsOf);
}

function wordsOf({ number, spec, host = "here", isCurrent }: NumberedRecord): string {
  const log = spec.containers["main"]?.env?.["LOG"];
  return `${number} LOG=${log} ${isCurrent ? "now" : host}`;
}

/** Ends an apply after a step of a change. */
function endAfter(id: string, kind: string) {
  const draining = new AbortController();
  return {
    draining: draining.signal,
    onEvent: (event: ApplyEvent) => {
      if (event.type === "step-done" && event.id === id && event.step.kind === kind)
        draining.abort(new Error("enough"));
    },
  };
}

const applied = async (...manifests: ReturnType<typeof on>[]) => {
  for (const manifest of manifests) expect((await fleet.apply(manifest)).status).toBe("done");
};

describe("the records of a pod that moves to another host", () => {
  test("move with it, and it goes back there to what it was on the old one", async () => {
    const moved = on("b", web("2"));
    await applied(on("a", web("1")), on("a", web("2")));
    const { plan } = await fleet.plan(moved);
    const text = renderPlan(plan, { paint: paintOf(false), columns: undefined, now: new Date() });
    expect(text).toContain("check that it runs · hand its records over from a to b");
    await applied(moved);
    expect(await known("b")).toEqual(["3 LOG=2 now", "2 LOG=2 a", "1 LOG=1 a"]);
    expect(await known("a")).toEqual([]);
    expect((await fleet.plan(moved)).plan.pods).toEqual([]);

    const spec = moved.hosts["b"] as HostSpec;
    const { host } = await fleet.connector.read("b", spec);
    const records = (await readPodRecords(host, moved, spec, signal)).get("web") ?? [];
    const back = rolledBack(moved, [rollbackTarget("b", "web", records)]);
    const options = { hosts: ["b"], pods: ["web"] };
    const { manifest, pins } = back;
    const report = await fleet.apply(manifest, { options, pins, command: "rollback" });
    expect(report.status).toBe("done");
    expect(await known("b")).toEqual(["4 LOG=1 now", "3 LOG=2 here", "2 LOG=2 a", "1 LOG=1 a"]);
  });

  test("move on, and back, with numbers that rise", async () => {
    await applied(on("a", web("1")), on("b", web("1")), on("b", web("2")), on("a", web("2")));
    expect(await known("a")).toEqual(["4 LOG=2 now", "3 LOG=2 b", "2 LOG=1 b", "1 LOG=1 a"]);
    expect(await known("b")).toEqual([]);
  });

  test.each([
    ["they were handed over", "b/web", "hand-records"],
    ["the new one was recorded", "b/web", "commit"],
    ["the old one was removed", "a/web", "remove"],
  ])("are whole where an apply ends when %s", async (_, id, kind) => {
    const moved = on("b", web("2"));
    await applied(on("a", web("1")));
    await fleet.apply(moved, endAfter(id, kind)).catch(() => undefined);
    await applied(moved);
    expect(await known("b")).toEqual(["2 LOG=2 now", "1 LOG=1 a"]);
    expect(await known("a")).toEqual([]);
  });

  test("stay where the new one does not run", async () => {
    await applied(on("a", web("1")), on("a", web("2")));
    const crashing = on("b", podOf({ command: ["sh", "-c", "exit 3"], env: { LOG: "3" } }));
    expect((await fleet.apply(crashing)).status).toBe("failed");
    expect(await known("a")).toEqual(["2 LOG=2 now", "1 LOG=1 here"]);
    await applied(on("b", web("4")));
    expect(await known("b")).toEqual(["3 LOG=4 now", "2 LOG=2 a", "1 LOG=1 a"]);
  });

  test("move before it where the old one goes first, and stay there where the new one cannot be made", async () => {
    const volumes = { data: { kind: "bind", path: "/srv" } } as const;
    const data = (log: string, more = {}) =>
      podOf(
        { env: { LOG: log }, mounts: [{ volume: "data", path: "/data" }], ...more },
        { volumes },
      );
    await applied(on("a", data("1")), on("a", data("2")));
    const broken = on("b", data("3", { command: ["/nonexistent/x"] }));
    expect((await fleet.apply(broken, { allowRemovals: 1 })).status).toBe("failed");
    expect(await known("a")).toEqual([]);
    const moved = on("b", data("4"));
    await applied(moved);
    expect(await known("b")).toEqual(["3 LOG=4 now", "2 LOG=2 a", "1 LOG=1 a"]);
    expect((await fleet.plan(moved)).plan.pods).toEqual([]);
  });

  test("stay there where the old one went first and what the new one waits for fails", async () => {
    const volumes = { data: { kind: "bind", path: "/srv" } } as const;
    const data = (log: string, dependsOn?: readonly string[]) =>
      podOf(
        { env: { LOG: log }, mounts: [{ volume: "data", path: "/data" }] },
        { volumes, ...(dependsOn === undefined ? {} : { dependsOn: [...dependsOn] }) },
      );
    const db = podOf({ command: ["sh", "-c", "exit 3"] });
    await applied(on("a", data("1")), on("a", data("2")));
    const waiting = fleet.manifest({ a: {}, b: { db, web: data("3", ["db"]) } });
    const { outcomes } = await fleet.apply(waiting, { allowRemovals: 1 });
    expect(outcomes.find(({ id }) => id === "b/web")?.status).toBe("skipped");
    expect(await known("b")).toEqual(["2 LOG=2 a", "1 LOG=1 a"]);
    await applied(on("b", data("4")));
    expect(await known("b")).toEqual(["3 LOG=4 now", "2 LOG=2 a", "1 LOG=1 a"]);
  });

  test("are said to go where it came there while the old host was not reached", async () => {
    await applied(on("a", web("1")));
    fleet.down.set("a", new StowageError("no route to it", { code: "unavailable" }));
    const moved = on("b", web("2"));
    await fleet.apply(moved);
    expect(await known("b")).toEqual(["1 LOG=2 now"]);
    fleet.down.clear();
    const { plan } = await fleet.plan(moved);
    expect(plan.pods).toMatchObject([
      {
        id: "a/web",
        notes: [expect.stringContaining("is removed with it: b has a pod of that name")],
      },
    ]);
  });

  test("of two pods of one name stay with each", async () => {
    const both = (log: string) => fleet.manifest({ a: { web: web(log) }, b: { web: web(log) } });
    await applied(both("1"), both("2"));
    await applied(on("b", web("2")));
    expect(await known("b")).toEqual(["2 LOG=2 now", "1 LOG=1 here"]);
  });

  test("of a service that is on one host less go without a word", async () => {
    const pod = web("1", { service: "web" });
    await applied(fleet.manifest({ a: { web: pod }, b: { web: pod } }));
    expect((await fleet.plan(on("b", pod))).plan.pods).toMatchObject([{ id: "a/web", notes: [] }]);
  });
});
