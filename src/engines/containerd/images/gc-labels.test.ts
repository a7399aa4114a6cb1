import { expect, test } from "vitest";
import { configLabels, indexLabels, manifestLabels } from "./gc-labels.ts";

test("an index keeps only the manifest that was fetched", () => {
  expect(indexLabels(2, "sha256:m")).toEqual({ "containerd.io/gc.ref.content.m.2": "sha256:m" });
});

test("a manifest keeps its config and every layer", () => {
  const layers = ["sha256:a", "sha256:b"].map((digest) => ({ mediaType: "t", digest, size: 1 }));
  expect(manifestLabels("sha256:c", layers)).toEqual({
    "containerd.io/gc.ref.content.config": "sha256:c",
    "containerd.io/gc.ref.content.l.0": "sha256:a",
    "containerd.io/gc.ref.content.l.1": "sha256:b",
  });
});

test("a config keeps the unpacked image of its snapshotter", () => {
  expect(configLabels("overlayfs", "sha256:top")).toEqual({
    "containerd.io/gc.ref.snapshot.overlayfs": "sha256:top",
  });
  expect(configLabels("overlayfs", undefined)).toEqual({});
});
