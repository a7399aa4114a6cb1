import { expect, test } from "vitest";
import type { FleetManifest, ObservedPod } from "../../model/index.ts";
import { paintOf } from "../text/paint.ts";
import { podRows } from "./pod-rows.ts";
import { renderPs } from "./render-ps.ts";

const DIGEST = `sha256:${"1".repeat(64)}`;
const REFERENCE = "registry.example/web:1";

function podWith(reference: string): ObservedPod {
  const image = { reference, digest: DIGEST };
  const main = { id: "1", state: "running", image, reported: {} } as const;
  return {
    owner: "acme",
    fleet: "shop",
    host: "edge",
    pod: "web",
    generation: 1,
    state: "running",
    containers: { main },
    reported: {},
  };
}

test("one that was started again says how often, so that a process that ends for ever is not taken for one that goes on", () => {
  const manifest = { version: "stowage/v1", name: "shop", id: "acme", images: {}, hosts: {} };
  const shown = (restarts: object) => {
    const pod = podWith(REFERENCE);
    const main = { ...pod.containers["main"], pid: 7, ...restarts };
    const rows = podRows(manifest as FleetManifest, "edge", [
      { config: { kind: "sim" }, pods: [{ ...pod, containers: { main } } as ObservedPod] },
    ]);
    return {
      json: rows[0]?.containers[0],
      text: renderPs(rows, { paint: paintOf(false), now: new Date() }),
    };
  };
  const often = shown({ restarts: 3 });
  expect(often.json).toMatchObject({ restarts: 3 });
  expect(often.text).toContain("running, pid 7, restarted 3 times");
  for (const never of [shown({}), shown({ restarts: 0 })]) {
    expect(never.json).not.toHaveProperty("restarts");
    expect(never.text).not.toContain("restarted");
  }
});

test("an image is listed by its name and its digest, whether or not the engine's name for it has that too", () => {
  const manifest = { version: "stowage/v1", name: "shop", id: "acme", images: {}, hosts: {} };
  const listed = [REFERENCE, `${REFERENCE}@sha256:${"2".repeat(64)}`].map((reference) =>
    podRows(manifest as FleetManifest, "edge", [
      { config: { kind: "sim" }, pods: [podWith(reference)] },
    ]),
  );
  for (const [row] of listed)
    expect(row?.containers[0]).toMatchObject({ image: REFERENCE, digest: DIGEST });
});
