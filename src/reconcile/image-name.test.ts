import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { makeImage } from "../../scripts/lib/image-maker/build-image.ts";
import { IMAGE, OTHER_IMAGE, podOf, type SimFleet } from "../../test/support/sim-fleet.ts";
import { openFleet } from "../../test/support/web-service.ts";
import { renderPlan } from "../cli/plan/render-plan.ts";
import { paintOf } from "../cli/text/paint.ts";

/** The very bytes of {@link IMAGE}. */
const ALIAS = "example.test/app:1.0.1";

let fleet: SimFleet;
beforeEach(() => {
  fleet = openFleet();
  const files = new Map([["/etc/app", { content: IMAGE }]]);
  makeImage({ out: join(fleet.dir, "alias"), reference: ALIAS, files });
});

const declared = (image: string, images: object = { [ALIAS]: { layout: "alias" } }) =>
  fleet.manifest(
    { alpha: { web: podOf({ image }) } },
    {
      images: {
        ...{ [IMAGE]: { layout: "images" }, [OTHER_IMAGE]: { layout: "images" } },
        ...images,
      },
    },
  );

/** What runs of the pod, and the names of all images. */
function found() {
  return fleet.machine().read(({ pods, images }) => ({
    pods: Object.values(pods).map(({ identity: { generation }, containers }) => ({
      generation,
      pid: containers["main"]?.pid,
      image: containers["main"]?.image.reference,
    })),
    images: Object.keys(images).map((name) => name.split("@")[0]),
  }));
}

describe("another name of the same image", () => {
  test("is noted while the process runs, and the old one goes", async () => {
    await fleet.apply(declared(IMAGE));
    const before = found().pods[0];
    const { plan } = await fleet.plan(declared(ALIAS));
    expect(plan.pods).toMatchObject([
      { action: "update", interrupts: false, reasons: [{ verdict: "live" }] },
    ]);
    const text = renderPlan(plan, { paint: paintOf(false), columns: undefined, now: new Date() });
    expect(text).toContain("~ web   update while it runs, because the image's name changed");
    expect((await fleet.apply(declared(ALIAS))).status).toBe("done");
    expect(found()).toEqual({ pods: [{ ...before, image: ALIAS }], images: [ALIAS] });
    const { plan: then } = await fleet.plan(declared(ALIAS));
    expect([...then.pods, ...then.hostChanges]).toEqual([]);
  });

  test("beside another change comes with that", async () => {
    await fleet.apply(declared(IMAGE));
    const next = fleet.manifest(
      { alpha: { web: podOf({ image: ALIAS, env: { A: "1" } }) } },
      { images: { [ALIAS]: { layout: "alias" } } },
    );
    expect((await fleet.plan(next)).plan.pods).toMatchObject([{ action: "replace" }]);
    expect((await fleet.apply(next)).status).toBe("done");
    expect(found()).toMatchObject({ pods: [{ generation: 2, image: ALIAS }], images: [ALIAS] });
  });

  test("is refused where the image is not to be had by it", async () => {
    await fleet.apply(declared(IMAGE));
    const [web] = Object.values(
      fleet.machine().read(({ pods }) => pods[Object.keys(pods)[0] ?? ""]?.containers ?? {}),
    );
    const pins = new Map([["alpha", new Map([[ALIAS, { ...web?.image, reference: ALIAS }]])]]);
    const request = { ...fleet.applyRequest(declared(ALIAS, {})), pins } as never;
    await expect(fleet.plan(declared(ALIAS, {}), request)).rejects.toThrow(
      /the host has image example.test\/app:1.0.1 only under the name example.test\/app:1@/,
    );
    expect(found().pods).toMatchObject([{ generation: 1, image: IMAGE }]);
  });

  test("that was not recorded by a killed apply is gone on with", async () => {
    await fleet.apply(declared(IMAGE));
    const draining = new AbortController();
    await fleet
      .apply(declared(ALIAS), {
        draining: draining.signal,
        onEvent: (event) => {
          if (event.type === "step-done" && event.step.kind === "import-image")
            draining.abort(new Error("enough"));
        },
      })
      .catch(() => undefined);
    expect(found().pods).toMatchObject([{ image: IMAGE }]);
    expect((await fleet.apply(declared(ALIAS))).status).toBe("done");
    expect(found()).toMatchObject({ pods: [{ generation: 1, image: ALIAS }], images: [ALIAS] });
  });
});
