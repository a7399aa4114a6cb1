import { expect, test } from "vitest";
import { createConnector } from "../../src/cli/connector.ts";
import type { FleetManifest, HostSpec } from "../../src/model/index.ts";
import { imagesOnly } from "../../src/plan/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

const KEPT = { owner: "owner-2", fleet: "other" };

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `pruning on ${kind}`, (engine) => {
    test("takes away images that no pod needs, and leaves what runs and what others use", async () => {
      await using fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
      for (const image of ["app:1", "app:2", "app:3"]) fleet.image(image);
      const using = (image: string): FleetManifest => {
        const main = { image, command: ["sleep", "100000"], stopSignal: "SIGKILL" };
        const rights = kind === "rkt" ? { security: { privileged: true } } : {};
        return fleet.manifest({ web: { containers: { main: { ...main, ...rights } } } });
      };
      const first = using("app:1");
      expect((await fleet.apply(first)).status).toBe("done");
      const before = await fleet.traces();
      for (const image of ["app:2", "app:3"])
        expect((await fleet.apply(using(image), { narrow: imagesOnly })).status).toBe("done");
      await using access = await createConnector().open("here", first.hosts["here"] as HostSpec);
      const pid = await fleet.pidOf(first, "web", "main");
      // one of them is another fleet's as well
      const images = async () => (await access.engine.observe()).images;
      const shared = (await images()).find(({ name }) => name.includes("app:3"));
      const { name = "", digest = "" } = shared ?? {};
      await access.engine.claimImage({ reference: name.replace(/@.*/, ""), digest }, KEPT);

      const { status, outcomes } = await fleet.prune(first);
      expect(outcomes.map(({ reason }) => reason)).toEqual([undefined, undefined]);
      expect(status).toBe("done");
      const left = await images();
      expect(left.flatMap(({ fleets }) => (fleets === undefined ? [] : [fleets]))).toEqual(
        expect.arrayContaining([["owner-1/shop"], ["owner-2/other"]]),
      );
      expect(left.some((each) => each.name.includes("app:2"))).toBe(false);
      expect(await fleet.pidOf(first, "web", "main")).toBe(pid);
      expect((await fleet.prune(first)).status).toBe("converged");
      expect((await fleet.plan(first)).pods).toEqual([]);
      await access.engine.releaseImage(name, KEPT);
      // what rkt unpacked of an image stays until its own collector runs
      const { trees: _, ...rest } = before;
      expect(await fleet.traces()).toMatchObject(rest);
    }, 120_000);
  });
}
