import { describe, expect, test } from "vitest";
import { podsOf } from "../../test/support/applied-fleet.ts";
import { podOf } from "../../test/support/sim-fleet.ts";
import { openFleet } from "../../test/support/web-service.ts";
import { destroyFleet } from "./index.ts";
import { WatchLocks } from "./watch/watch-lock.ts";

describe("destroyFleet()", () => {
  const pod = podOf(
    { mounts: [{ volume: "data", path: "/data" }] },
    { volumes: { data: { kind: "named", name: "data" } } },
  );
  const volume = "/var/lib/stowage/acme/shop/.volumes/data";

  test("removes everything but the volumes", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: pod } });
    await fleet.apply(manifest);
    await fleet.machine().setFile(`${volume}/kept`, { text: "yes" });
    const report = await destroyFleet(fleet.applyRequest(manifest));
    expect(report.status).toBe("done");
    expect(podsOf(fleet)).toEqual([]);
    const files = fleet
      .machine()
      .read((state) =>
        Object.keys(state.files).filter((path) => path.startsWith("/var/lib/stowage")),
      );
    // what was done here is still to be known
    expect(files).toEqual(["/var/lib/stowage/audit.log", `${volume}/kept`]);
    expect(fleet.machine().read((state) => Object.keys(state.images))).toEqual([]);
  });

  test("is refused while the fleet is watched, naming who watches; one host beside it is not", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: pod }, beta: { web: pod } });
    await fleet.apply(manifest);
    await using watch = new WatchLocks(fleet.connector, "watch@there");
    await watch.take(manifest, new AbortController().signal, new Set(["beta"]));
    const asked: string[] = [];
    const confirm = async () => asked.push("") > 0;
    const request = { ...fleet.applyRequest(manifest), confirm };
    await expect(destroyFleet(request)).rejects.toThrow(
      /^Cannot destroy fleet "shop": watch@there .* watches fleet shop on host beta and would put everything back; end that watch first/,
    );
    expect(asked).toEqual([]);
    expect(podsOf(fleet)).toHaveLength(1);
    const alone = await destroyFleet({ ...request, options: { hosts: ["alpha"] } });
    expect(alone.status).toBe("done");
  });

  test("removes what a killed writer left half written of a pod that never was", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: podOf() } });
    await fleet.apply(manifest);
    const half = "/var/lib/stowage/acme/shop/.job.json.tmp";
    await fleet.machine().setFile(half, { text: '{"version"' });
    await destroyFleet(fleet.applyRequest(manifest));
    const files = fleet.machine().read((state) => Object.keys(state.files));
    expect(files).toContain("/var/lib/stowage/audit.log");
    expect(files).not.toContain(half);
  });

  test("removes the volumes as well after a question of its own", async () => {
    const fleet = openFleet();
    const manifest = fleet.manifest({ alpha: { web: pod } });
    await fleet.apply(manifest);
    const asked: string[] = [];
    const report = await destroyFleet({
      ...fleet.applyRequest(manifest),
      confirmVolumes: async (volumes) => {
        asked.push(...volumes.map(({ host, path }) => `${host}:${path}`));
        return true;
      },
    });
    expect(asked).toEqual([`alpha:${volume}`]);
    expect(report.deletedVolumes).toEqual(["alpha/data"]);
    const left = fleet
      .machine()
      .read((state) => JSON.stringify(state))
      .includes("/var/lib/stowage/acme");
    expect(left).toBe(false);
  });
});
