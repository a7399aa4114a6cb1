import { expect, test } from "vitest";
import type { FleetManifest, ObservedPod } from "../model/index.ts";
import { podRows } from "./pod-rows.ts";

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
