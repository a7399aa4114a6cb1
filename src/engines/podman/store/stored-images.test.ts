import { expect, test } from "vitest";
import { imagesIn } from "./stored-images.ts";

const ROOT = "/var/lib/containers/storage";
const DIGESTS = ["a", "b"].map((each) => `sha256:${each.repeat(64)}`);
const IMAGES = [
  {
    id: "1".repeat(64),
    digest: DIGESTS[0],
    names: ["example.test:5000/app:1", `example.test/app@${DIGESTS[1]}`],
    layer: "top",
    "big-data-sizes": { manifest: 10, [`sha256:${"1".repeat(64)}`]: 5 },
    "big-data-digests": { manifest: DIGESTS[0], [`manifest-${DIGESTS[1]}`]: DIGESTS[1] },
  },
  { id: "2".repeat(64), names: null },
];
const LAYERS = [
  { id: "top", parent: "base", "diff-size": 100 },
  { id: "base", "diff-size": 1000 },
  { id: "of-another", "diff-size": 7 },
];

const filesOf = (more: Readonly<Record<string, unknown>> = {}) =>
  new Map(
    Object.entries({
      [`${ROOT}/overlay-images/images.lock`]: "",
      [`${ROOT}/overlay-images/images.json`]: JSON.stringify(IMAGES),
      [`${ROOT}/overlay-layers/layers.json`]: JSON.stringify(LAYERS),
      ...more,
    }).flatMap(([path, text]) => (typeof text === "string" ? [[path, text]] : [])),
  );

test("an image has its names, the digests of its manifests for each, and the size of its layers and documents", () => {
  const [first, second] = imagesIn(filesOf()) ?? [];
  expect(first).toEqual({
    Id: "1".repeat(64),
    Names: IMAGES[0]?.names,
    RepoDigests: [
      `example.test:5000/app@${DIGESTS[0]}`,
      `example.test:5000/app@${DIGESTS[1]}`,
      `example.test/app@${DIGESTS[0]}`,
      `example.test/app@${DIGESTS[1]}`,
    ],
    Digest: DIGESTS[0],
    Size: 1115,
  });
  expect(second).toEqual({ Id: "2".repeat(64), Names: [], RepoDigests: [], Digest: "", Size: 0 });
});

test("a store that never had an image has none", () => {
  const empty = { [`${ROOT}/overlay-images/images.json`]: undefined };
  expect(imagesIn(filesOf(empty))).toEqual([]);
});

test.each([
  ["it was used with two ways of keeping layers", { [`${ROOT}/vfs-images/images.lock`]: "" }],
  ["it is kept somewhere else", { [`${ROOT}/overlay-images/images.lock`]: undefined }],
  ["its list cannot be read", { [`${ROOT}/overlay-images/images.json`]: "[{" }],
  ["its list has another form", { [`${ROOT}/overlay-images/images.json`]: '{"images":[]}' }],
])("podman has to be asked for the images of a store where %s", (_, more) => {
  expect(imagesIn(filesOf(more))).toBeUndefined();
});
