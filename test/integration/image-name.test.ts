import { join } from "node:path";
import { expect, test } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

const RKT = {
  security: { privileged: true, seccomp: "unconfined", noNewPrivileges: false, unmaskPaths: true },
};

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `another name of the same image on ${kind}`, (engine) => {
    const title =
      kind === "rkt"
        ? "is a new pod, as rkt keeps an image under its name"
        : "is noted while the process runs, and the old one goes";
    test(title, async () => {
      await using fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
      const out = join(fleet.folder, "layout");
      const files = new Map([["/name", { content: "the same" }]]);
      for (const reference of ["app:1.0", "app:1.1"]) busyboxImage({ out, reference, files });
      const declared = (image: string) =>
        fleet.manifest(
          {
            web: {
              containers: {
                main: {
                  image,
                  command: ["/bin/sh", "-c", "sleep 100000"],
                  stopSignal: "SIGKILL",
                  ...(kind === "rkt" ? RKT : {}),
                },
              },
            },
          },
          { images: { [image]: { layout: "layout" } } },
        );
      const look = async () => {
        await using reading = await fleet.connect().read("here", {
          ...fleet.host,
          pods: {},
        });
        const { pods, images } = await reading.engine.observe();
        const [web] = pods.filter(
          ({ owner, fleet: name }) => owner === "owner-1" && name === "shop",
        );
        const ours = images.filter(({ fleets }) => fleets?.includes("owner-1/shop"));
        return {
          generation: web?.generation,
          pid: web?.containers["main"]?.pid,
          image: web?.containers["main"]?.image.reference,
          images: ours.map(({ name }) => name.split("@")[0]),
        };
      };
      expect((await fleet.apply(declared("app:1.0"))).status).toBe("done");
      const before = await look();
      const next = declared("app:1.1");
      const [change] = (await fleet.plan(next)).pods;
      expect(change?.action).toBe(kind === "rkt" ? "replace" : "update");
      expect((await fleet.apply(next)).status).toBe("done");
      const after = await look();
      const name = "docker.io/library/app:1.1";
      if (kind === "rkt") expect(after).toMatchObject({ generation: 2, image: name });
      else expect(after).toEqual({ ...before, image: name, images: [name] });
      const then = await fleet.plan(next);
      expect([...then.pods, ...then.hostChanges]).toEqual([]);
      // and what was recorded is what the next start goes by
      const { status } = await fleet.apply(declared("app:1.0"));
      expect(status).toBe("done");
      expect(await look()).toMatchObject({ image: "docker.io/library/app:1.0" });
    }, 180_000);
  });
}
