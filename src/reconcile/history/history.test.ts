import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IMAGE, OTHER_IMAGE, podOf, SimFleet } from "../../../test/support/sim-fleet.ts";
import { SimKilled } from "../../engines/sim/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { HostReader } from "../../host/index.ts";
import {
  AUDIT_FILE_BYTES,
  type FleetManifest,
  type HostSpec,
  type NumberedRecord,
} from "../../model/index.ts";
import type { ApplyFleetRequest, ApplyReport } from "../index.ts";
import { planPruning, pruneFleet } from "../prune-fleet.ts";
import { readAudit, readPodRecords } from "./pod-records.ts";
import { rollbackTarget, rollbackWarnings, rolledBack } from "./rollback.ts";

/** Of a run that never ends. */
const MANY = 60;
const AUDIT = "/var/lib/stowage/audit.log";
const HISTORY = "/var/lib/stowage/acme/shop/.history/web.json";
const { signal } = new AbortController();

let fleet: SimFleet;
beforeEach(() => {
  fleet = new SimFleet("virtual");
});
afterEach(() => fleet[Symbol.dispose]());

const one = (...logs: readonly string[]): FleetManifest =>
  fleet.manifest({ alpha: { web: podOf({ env: { LOG: logs[0] ?? "1" } }) } });

const hostSpec = () => one().hosts["alpha"] as HostSpec;

async function reading<T>(read: (host: HostReader, spec: HostSpec) => Promise<T>): Promise<T> {
  const { host } = await fleet.connector.read("alpha", hostSpec());
  return await read(host, hostSpec());
}

const records = async (pod = "web"): Promise<readonly NumberedRecord[]> =>
  (await reading((host, spec) => readPodRecords(host, one(), spec, signal))).get(pod) ?? [];

const audit = () => reading((host, spec) => readAudit(host, spec, signal));

const logOf = ({ spec }: NumberedRecord): unknown => spec.containers["main"]?.env?.["LOG"];

async function back(
  manifest: FleetManifest,
  to?: number,
  more: Partial<ApplyFleetRequest> = {},
): Promise<ApplyReport> {
  const target = rollbackTarget("alpha", "web", await records(), to);
  const { manifest: rolled, pins } = rolledBack(manifest, [target]);
  const options = { hosts: ["alpha"], pods: ["web"] };
  return await fleet.apply(rolled, { options, pins, command: "rollback", ...more });
}

describe("the records of a pod", () => {
  test("say what was applied, when and by whom, the current one first", async () => {
    await fleet.apply(one("1"), { appliedBy: "ann@desk" });
    expect((await records()).map(({ number }) => number)).toEqual([1]);
    await fleet.apply(one("2"), { appliedBy: "bob@lap" });
    await fleet.apply(one("2"), { appliedBy: "eve@lap" });
    const found = await records();
    expect(
      found.map(({ number, isCurrent, generation, appliedBy }) => [
        number,
        isCurrent,
        generation,
        appliedBy,
      ]),
    ).toEqual([
      [2, true, 2, "bob@lap"],
      [1, false, 1, "ann@desk"],
    ]);
    expect(found.map(logOf)).toEqual(["2", "1"]);
    const [now, before] = found as [NumberedRecord, NumberedRecord];
    expect(Date.parse(now.appliedAt)).toBeGreaterThanOrEqual(Date.parse(before.appliedAt));
  });

  test("a secret that alone has another value makes none of its own: they hold no values", async () => {
    const secret = (log: string) =>
      fleet.manifest({
        alpha: { web: podOf({ env: { LOG: log, KEY: { secret: { fromEnv: "KEY" } } } }) },
      });
    await fleet.apply(secret("1"), { environment: { KEY: "a" } });
    await fleet.apply(secret("2"), { environment: { KEY: "a" }, appliedBy: "ann@desk" });
    const changed = { environment: { KEY: "b" }, appliedBy: "bob@lap" };
    expect((await fleet.apply(secret("2"), changed)).outcomes).toContainEqual(
      expect.objectContaining({ pod: "web", status: "done" }),
    );
    const found = await records();
    expect(found.map((each) => [each.number, logOf(each), each.appliedBy])).toEqual([
      [2, "2", "bob@lap"],
      [1, "1", "tester@here"],
    ]);
    expect(rollbackTarget("alpha", "web", found, undefined).to.number).toBe(1);
  });

  test("what failed and was taken back is none of them", async () => {
    await fleet.apply(one("1"));
    const crashing = fleet.manifest({ alpha: { web: podOf({ command: ["sh", "-c", "exit 3"] }) } });
    expect((await fleet.apply(crashing)).outcomes).toContainEqual(
      expect.objectContaining({ pod: "web", status: "rolled-back" }),
    );
    expect((await records()).map(({ number }) => number)).toEqual([1]);
  });

  test.each(["before", "during", "after"] as const)(
    "survive a kill %s each call of a replacement: none lost, none twice",
    async (phase) => {
      let kills = 0;
      for (let nth = 1; nth <= MANY; nth += 1) {
        fleet[Symbol.dispose]();
        fleet = new SimFleet("virtual");
        await fleet.apply(one("1"));
        fleet.faults = [{ nth, access: "write", phase, effect: "kill" }];
        const end = await fleet.apply(one("2")).catch((error: unknown) => error);
        fleet.faults = [];
        if (!(end instanceof SimKilled)) {
          expect(end).toMatchObject({ status: "done" });
          break;
        }
        kills += 1;
        // whoever was killed holds the lock until it expires
        await fleet.machine().advance(60_000);
        await fleet.apply(one("2"));
        expect((await records()).map((each) => [each.number, logOf(each)])).toEqual([
          [2, "2"],
          [1, "1"],
        ]);
      }
      if (phase !== "during") expect(kills).toBeGreaterThan(8);
    },
  );

  test("go with the pod, and their folder with the fleet", async () => {
    await fleet.apply(one("1"));
    await fleet.apply(one("2"));
    const has = () => fleet.machine().read(({ files }) => HISTORY in files);
    expect(has()).toBe(true);
    await fleet.apply(fleet.manifest({ alpha: {} }), { allowRemovals: 1 });
    expect(has()).toBe(false);
  });
});

describe("going back", () => {
  test("runs what ran before, as a change like any other, and the next apply goes forward", async () => {
    const [first, second] = [
      one("1"),
      fleet.manifest({ alpha: { web: podOf({ image: OTHER_IMAGE }) } }),
    ];
    await fleet.apply(first);
    await fleet.apply(second);
    expect(await back(second)).toMatchObject({ status: "done" });
    const found = await records();
    expect(found.map(({ number, images }) => [number, images["main"]?.reference])).toEqual([
      [3, IMAGE],
      [2, OTHER_IMAGE],
      [1, IMAGE],
    ]);
    expect((await fleet.plan(first)).plan.pods).toEqual([]);
    expect((await fleet.plan(second)).plan.pods).toMatchObject([{ action: "replace" }]);
    // and back from there
    expect(rollbackTarget("alpha", "web", found).to.number).toBe(2);
    expect(rollbackTarget("alpha", "web", found, 1).to.number).toBe(1);
  });

  test("takes the image of then, by its digest, though its name leads elsewhere now", async () => {
    await fleet.apply(one("1"));
    await fleet.apply(one("2"));
    const pinned = { ...one("2"), images: { [IMAGE]: { layout: "moved" } } };
    expect((await back(pinned, 1)).status).toBe("done");
    const [now, , then] = await records();
    expect(now?.images).toEqual(then?.images);
  });

  test("is refused with a reason where the image is gone for good; nothing is touched", async () => {
    await fleet.apply(one("1"));
    const second = fleet.manifest({ alpha: { web: podOf({ image: OTHER_IMAGE }) } });
    await fleet.apply(second);
    const lost = { ...second, images: { [OTHER_IMAGE]: { layout: "images" } } };
    fleet.events.length = 0;
    await expect(back(lost as FleetManifest)).rejects.toThrow(
      /image example\.test\/app:1 is neither on the host nor on disk/,
    );
    const gone = { ...second, images: { ...second.images, [IMAGE]: { layout: "gone" } } };
    await expect(back(gone as FleetManifest)).rejects.toThrow(
      /the record names sha256:\S+, which is not available/,
    );
    expect(fleet.steps("step-started")).toEqual([]);
  });

  test("names what there is where there is no such record", async () => {
    await fleet.apply(one("1"));
    const found = await records();
    const go = (number?: number) => () => rollbackTarget("alpha", "web", found, number);
    expect(go()).toThrow('Cannot roll back pod "web" on host alpha: it keeps no old record');
    expect(go(7)).toThrow("no record 7 is there; it keeps no old record");
    expect(go(1)).toThrow("record 1 is the current one");
  });

  test("says that secrets are those of now, and that the declaration goes on ahead", async () => {
    const secret = podOf({ env: { KEY: { secret: { fromEnv: "KEY" } } } });
    const manifest = fleet.manifest({ alpha: { web: secret } });
    await fleet.apply(manifest, { environment: { KEY: "one" } });
    await fleet.apply(one("2"));
    const target = rollbackTarget("alpha", "web", await records());
    expect(rollbackWarnings(one("2"), [target])).toEqual([
      expect.stringContaining("secrets have their current values"),
      expect.stringContaining("the next apply goes forward again"),
    ]);
    expect(rollbackWarnings(manifest, [target])).toHaveLength(1);
    await back(one("2"), undefined, { environment: { KEY: "two" } });
    expect((await fleet.plan(manifest, { environment: { KEY: "two" } })).plan.pods).toEqual([]);
    expect((await fleet.plan(manifest, { environment: { KEY: "one" } })).plan.pods).toHaveLength(1);
  });
});

describe("prune", () => {
  const request = (manifest: FleetManifest, keep: number, before?: number) => ({
    ...fleet.applyRequest(manifest),
    retention: { keep: 1, records: keep, ...(before === undefined ? {} : { before }) },
  });

  test("takes old records beyond a number, and says which ways back go", async () => {
    for (const log of ["1", "2", "3", "4"]) await fleet.apply(one(log));
    const plan = await planPruning(request(one("4"), 1));
    expect(plan.hostChanges.map(({ text }) => text)).toEqual([
      "records 1, 2 of pod web (app:1): no rollback to them is possible then",
    ]);
    expect((await planPruning(request(one("4"), 1, 0))).hostChanges).toEqual([]);
    expect((await pruneFleet(request(one("4"), 1))).status).toBe("done");
    expect((await records()).map(({ number }) => number)).toEqual([4, 3]);
    expect((await pruneFleet(request(one("4"), 0))).status).toBe("done");
    expect((await pruneFleet(request(one("4"), 0))).status).toBe("converged");
    await fleet.apply(one("5"));
    expect((await records()).map(({ number }) => number)).toEqual([5, 4]);
  });
});

describe("the audit file", () => {
  test("has two lines of each run that changes a host: who, from where, what, and what came of it", async () => {
    await fleet.apply(one("1"), { appliedBy: "ann@desk" });
    await fleet.apply(one("1"));
    const lines = await audit();
    expect(lines).toMatchObject([
      { event: "began", by: "ann@desk", command: "apply", fleet: "shop", host: "alpha" },
      { event: "ended", result: "done" },
    ]);
    expect(lines[0]?.changes).toContainEqual({ id: "alpha/web", action: "create" });
    expect(lines[1]?.changes).toContainEqual({ id: "alpha/web", action: "create", status: "done" });
    expect(lines[1]?.run).toBe(lines[0]?.run);
    await fleet.apply(one("2"));
    await back(one("2"));
    expect((await audit()).slice(4)).toMatchObject([{ command: "rollback" }, { result: "done" }]);
  });

  test("holds no secret, no value and no reason", async () => {
    const crash = podOf({
      env: { KEY: { secret: { fromEnv: "KEY" } }, LOG: "plain-value" },
      command: ["sh", "-c", "echo hunter2; exit 3"],
    });
    const report = await fleet.apply(fleet.manifest({ alpha: { web: crash } }), {
      environment: { KEY: "hunter2" },
    });
    expect(report.status).toBe("failed");
    const text = fleet.machine().read(({ files }) => files[AUDIT]?.text ?? "");
    expect(text).toContain('"status":"failed"');
    expect(text).not.toMatch(/hunter2|plain-value|exit/);
  });

  test("begins anew when it is full, the one before is kept, and half a line is passed over", async () => {
    const fill = `${"x".repeat(AUDIT_FILE_BYTES - 10)}\n`;
    const { host } = await fleet.connector.open("alpha", hostSpec());
    await host.writeFile(AUDIT, fill);
    await fleet.apply(one("1"));
    const files = fleet
      .machine()
      .read((state) => [state.files[AUDIT]?.text, state.files[`${AUDIT}.1`]?.text]);
    expect(files[1]).toBe(fill);
    expect(files[0]?.split("\n")).toHaveLength(3);
    expect(await audit()).toHaveLength(2);
  });

  test("that cannot be written holds nothing up, and is told", async () => {
    const effect = new StowageError("Cannot write: the disk is full", {
      code: "resource_exhausted",
    });
    fleet.faults = [{ call: "host.appendLine", phase: "before", effect }];
    const report = await fleet.apply(one("1"));
    expect(report.status).toBe("done");
    expect(fleet.events.filter(({ type }) => type === "not-audited").length).toBeGreaterThan(0);
  });
});
