import { expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { ContainerdFleet } from "../support/containerd-fleet.ts";
import { hostListing } from "../support/host-listing.ts";

const run = { command: ["sleep", "100000"], stopSignal: "SIGKILL" };

describeWithEngine("containerd", "plan on containerd", (containerd) => {
  test("makes, changes and deletes nothing: before the first apply, after it, and with changes to plan", async () => {
    await using fleet = new ContainerdFleet(containerd.address);
    fleet.image("app:1");
    fleet.image("app:2");
    const side = (image: string) =>
      fleet.manifest({
        web: {
          volumes: { data: { kind: "named", name: "data" } },
          containers: { main: { image, ...run, mounts: [{ volume: "data", path: "/data" }] } },
        },
      });
    const untouched = hostListing(fleet);
    expect((await fleet.plan(side("app:1"))).pods).toHaveLength(1);
    expect(hostListing(fleet)).toEqual(untouched);
    await fleet.apply(side("app:1"));
    const applied = hostListing(fleet);
    expect((await fleet.plan(side("app:1"))).pods).toEqual([]);
    expect((await fleet.plan(side("app:2"))).pods).toHaveLength(1);
    expect(hostListing(fleet)).toEqual(applied);
  });
});
