import { expect, test } from "vitest";
import { StowageError } from "../../../errors/index.ts";
import type { PodmanContext } from "../context.ts";
import { listImages } from "./image-list.ts";

/** A podman whose first lists fail. */
function contextOf(failures: readonly StowageError[]): PodmanContext {
  const left = [...failures];
  const json = async () => {
    const failure = left.shift();
    if (failure !== undefined) throw failure;
    return [];
  };
  return { cli: { json } } as unknown as PodmanContext;
}

const vanished = new StowageError("image not known", { code: "not_found" });

test("listImages() lists again where an image went while podman listed it", async () => {
  expect(await listImages(contextOf([vanished, vanished]), undefined)).toEqual([]);
  const never = Array.from({ length: 9 }, () => vanished);
  await expect(listImages(contextOf(never), undefined)).rejects.toBe(vanished);
});

test("listImages() does not ask again after any other failure", async () => {
  const broken = new StowageError("no", { code: "internal" });
  await expect(listImages(contextOf([broken]), undefined)).rejects.toBe(broken);
});
