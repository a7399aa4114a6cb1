import { describe, expect, test } from "vitest";
import { fileOf, podsOf, ROSTER, recordOf } from "../../test/support/applied-fleet.ts";
import { podOf } from "../../test/support/sim-fleet.ts";
import { openFleet } from "../../test/support/web-service.ts";
import { isConverged } from "../plan/index.ts";

describe("secrets", () => {
  const secret = { env: { TOKEN: { secret: { fromEnv: "TOKEN" } } } };

  test("reach the pod and nothing else", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({
      alpha: { web: podOf({ ...secret, command: ["sh", "-c", "echo $TOKEN; exit 1"] }) },
    });
    const value = "s3cr3t-value";
    const report = await fleet.apply(manifest, { environment: { TOKEN: value } });
    expect(report.outcomes.find(({ id }) => id === "alpha/web")?.logs).toEqual([
      { container: "main", text: "(secret)" },
    ]);
    expect(JSON.stringify([report, fleet.events])).not.toContain(value);
    const files = fleet
      .machine()
      .read((state) => Object.values(state.files).map(({ text }) => text));
    expect(files.join("\n")).not.toContain(value);
    expect(recordOf(fleet).generations[0]?.secrets).toMatchObject({
      "containers.main.env.TOKEN": expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
    });
  });

  test("are compared without being there in clear, and a changed one replaces the pod", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: podOf(secret) } });
    await fleet.apply(manifest, { environment: { TOKEN: "one" } });
    const same = await fleet.plan(manifest, { environment: { TOKEN: "one" } });
    expect(isConverged(same.plan)).toBe(true);
    expect(isConverged((await fleet.plan(manifest)).plan)).toBe(true);
    const changed = await fleet.plan(manifest, { environment: { TOKEN: "two" } });
    expect(changed.plan.pods).toMatchObject([{ action: "replace", reasons: [{ secret: true }] }]);
    expect(JSON.stringify(changed.plan)).not.toContain("two");
  });

  test("that are missing or too long stop an apply before anything is touched", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: podOf(secret) } });
    await expect(fleet.apply(manifest)).rejects.toThrow(
      /^A secret of this apply is not valid:\n.*environment variable TOKEN is not set/,
    );
    const long = fleet.apply(manifest, { environment: { TOKEN: "x".repeat(131_072) } });
    await expect(long).rejects.toThrow("environment variable TOKEN holds more than a variable can");
    expect(podsOf(fleet)).toEqual([]);
    expect(fileOf(fleet, ROSTER)).toBeUndefined();
  });
});
