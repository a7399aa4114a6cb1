import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FleetManifest, HostSpec } from "../../src/model/index.ts";
import {
  readPodRecords,
  rollbackTarget,
  rolledBack,
  uninstallHost,
} from "../../src/reconcile/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import type { Traces } from "../support/engines/engine-lab.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

/** A store that was used and is empty. */
const GONE = {
  podman: {
    containers: [],
    images: [],
    pods: [],
    monitors: [],
    volumes: [],
    mounts: ["0"],
    run: ["0"],
  },
  rkt: {
    pods: [],
    cgroups: [],
    processes: ["0"],
    mounts: ["0"],
    images: ["coreos.com/rkt/stage1-fly:1.30.0"],
  },
} as const;

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `the way back, and the way out, on ${kind}`, (engine) => {
    test("a pod goes back to what it was; uninstalled, the host is what it was", async () => {
      await using fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
      for (const image of ["app:1", "app:2"]) fleet.image(image);
      const using = (image: string): FleetManifest => {
        const command = ["sleep", "100000"];
        const mounts = [{ volume: "data", path: "/data" }];
        const rights = kind === "rkt" ? { security: { privileged: true } } : {};
        const main = { image, command, mounts, stopSignal: "SIGKILL", ...rights };
        const volumes = { data: { kind: "named", name: "data" } };
        return fleet.manifest({ web: { containers: { main }, volumes } });
      };
      const before = await fleet.traces();
      const second = using("app:2");
      expect((await fleet.apply(using("app:1"))).status).toBe("done");
      expect((await fleet.apply(second)).status).toBe("done");

      const spec = second.hosts["here"] as HostSpec;
      const { signal } = new AbortController();
      const records = async () => {
        await using reading = await fleet.connect().read("here", spec);
        return (await readPodRecords(reading.host, second, spec, signal)).get("web") ?? [];
      };
      const target = rollbackTarget("here", "web", await records());
      const { manifest: back, pins } = rolledBack(second, [target]);
      expect((await fleet.apply(back, { pins })).status).toBe("done");
      expect((await fleet.plan(using("app:1"))).pods).toEqual([]);
      expect((await records()).map(({ number }) => number)).toEqual([3, 2, 1]);

      writeFileSync(join(fleet.host.stateDir, "note"), "of somebody else");
      const uninstall = (volumes: boolean) =>
        uninstallHost({
          ...fleet.requestOf(second),
          name: "here",
          spec,
          own: { owner: second.id, fleet: second.name },
          volumes,
          confirm: async () => true,
          appliedBy: "test@desk",
          lockTimeoutMs: 10_000,
          onEvent: () => {},
        });
      const report = await uninstall(false);
      expect(report.problems).toEqual([]);
      expect(report.status).toBe("done");
      const unpacked = kind === "rkt" ? ["what rkt unpacked of images"] : [];
      expect(report.leaves.map(({ what }) => what.replace(/, in .*| \(.*/, ""))).toEqual([
        "volume data of fleet shop",
        join(fleet.host.stateDir, "note"),
        ...unpacked,
      ]);
      const after = await fleet.traces();
      expect(after).toMatchObject(kind === "containerd" ? engineOf(before) : GONE[kind]);
      const { files = [] } = after;
      expect(
        files.filter((path) => !/\.volumes|^state\/(?:note|owner-1(?:\/shop)?)$/.test(path)),
      ).toEqual([]);
      expect((await uninstall(true)).status).toBe("done");
      expect((await fleet.traces())["files"]).toEqual(["state/note"]);
    }, 120_000);
  });
}

function engineOf({ files: _, ...rest }: Traces): Traces {
  return rest;
}
