import { expect, test } from "vitest";
import { IMAGE, OTHER_IMAGE, podOf, type SimFleet } from "../../../test/support/sim-fleet.ts";
import { openFleet } from "../../../test/support/web-service.ts";
import type { FleetManifest, HostSpec, NumberedRecord } from "../../model/index.ts";
import { readPodRecords } from "./pod-records.ts";
import { type RollbackTarget, rollbackTarget, rolledBack } from "./rollback.ts";

const PODS = ["one", "two"] as const;

async function goBack(fleet: SimFleet, manifest: FleetManifest) {
  const spec = manifest.hosts["a"] as HostSpec;
  const { host } = await fleet.connector.open("a", spec);
  const records = await readPodRecords(host, manifest, spec, new AbortController().signal);
  return rolledBack(
    manifest,
    PODS.map((pod) => rollbackTarget("a", pod, records.get(pod) ?? [])),
  );
}

function imagesOf(fleet: SimFleet) {
  return fleet
    .machine("a")
    .read(({ pods }) =>
      Object.fromEntries(
        Object.values(pods).map(({ identity, containers }) => [
          identity.pod,
          containers["main"]?.image.digest,
        ]),
      ),
    );
}

test("pods of one host that go back at once get the images of then, each its own", async () => {
  const fleet = openFleet();
  const declared = (one: string, two: string) =>
    fleet.manifest({ a: { one: podOf({ image: one }), two: podOf({ image: two }) } });
  await fleet.apply(declared(IMAGE, OTHER_IMAGE));
  const before = imagesOf(fleet);
  const now = declared(OTHER_IMAGE, IMAGE);
  await fleet.apply(now);
  const { manifest, pins } = await goBack(fleet, now);
  expect([...(pins.get("a") ?? [])].map(([name, { digest }]) => [name, digest]).sort()).toEqual(
    [
      [IMAGE, before["one"]],
      [OTHER_IMAGE, before["two"]],
    ].sort(),
  );
  await fleet.apply(manifest, { pins });
  expect(imagesOf(fleet)).toEqual(before);
});

test("pods of one host that had different images of one name are not taken back at once", () => {
  const fleet = openFleet();
  const manifest = fleet.manifest({ a: { one: podOf(), two: podOf() } });
  const target = (pod: string, digest: string): RollbackTarget => {
    const spec = manifest.hosts["a"]?.pods?.[pod];
    const images = { main: { reference: IMAGE, digest } };
    return { host: "a", pod, to: { spec, images } as unknown as NumberedRecord };
  };
  const both = [target("one", "sha256:1"), target("two", "sha256:2")];
  expect(() => rolledBack(manifest, both)).toThrow(
    'example.test/app:1 was a different image for pod "two" than for one before it; roll them back one by one',
  );
  expect(rolledBack(manifest, [target("one", "sha256:1")]).pins.size).toBe(1);
});
