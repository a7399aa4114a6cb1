import { expect, test } from "vitest";
import { foldersOfMounts } from "./layer-folders.ts";

test("foldersOfMounts() takes an overlay's folders topmost first, or the one of a bind", () => {
  const overlay = {
    type: "overlay",
    source: "overlay",
    options: ["index=off", "lowerdir=/s/3/fs:/s/2/fs"],
  };
  expect(foldersOfMounts([overlay], "overlayfs")).toEqual(["/s/3/fs", "/s/2/fs"]);
  const bind = { type: "bind", source: "/s/1/fs", options: ["ro", "rbind"] };
  expect(foldersOfMounts([bind], "overlayfs")).toEqual(["/s/1/fs"]);
});

test.each([[[]], [[{ type: "ext4", source: "/dev/dm-1", options: [] }]]])(
  "foldersOfMounts() refuses mounts that are no folders",
  (mounts) => {
    expect(() => foldersOfMounts(mounts, "devmapper")).toThrow(
      expect.objectContaining({ code: "unimplemented" }),
    );
  },
);
