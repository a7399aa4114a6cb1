import { describe, expect, test } from "vitest";
import { podOf, type SimFleet } from "../../test/support/sim-fleet.ts";
import { openFleet } from "../../test/support/web-service.ts";

type Pods = Readonly<Record<string, unknown>>;

const on = (fleet: SimFleet, a: Pods, b: Pods) => fleet.manifest({ a, b });

describe("a pod that is declared on another host", () => {
  test("stays until the new one is proven, and where that fails", async () => {
    const fleet = openFleet();
    await fleet.apply(on(fleet, { web: podOf() }, {}));
    const crashing = on(fleet, {}, { web: podOf({ command: ["sh", "-c", "exit 3"] }) });
    const { outcomes } = await fleet.apply(crashing);
    expect(outcomes.find(({ id }) => id === "b/web")?.status).not.toBe("done");
    expect(outcomes.find(({ id }) => id === "a/web")?.status).not.toBe("done");
    const running = fleet
      .machine("a")
      .read(({ pods }) => Object.values(pods).map(({ containers }) => containers["main"]?.state));
    expect(running).toEqual(["running"]);
    const manifest = on(fleet, {}, { web: podOf() });
    expect((await fleet.apply(manifest)).status).toBe("done");
    expect((await fleet.plan(manifest)).plan.pods).toEqual([]);
    expect(fleet.machine("a").read(({ pods }) => Object.keys(pods))).toEqual([]);
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
});
