import { expect, test } from "vitest";
import { findInLayers } from "./find-in-layers.ts";
import type { LayerEntry, LayerFiles } from "./layer-files.ts";

const file: LayerEntry = { kind: "file" };
const directory: LayerEntry = { kind: "directory" };
const whiteout: LayerEntry = { kind: "whiteout" };
const link = (target: string): LayerEntry => ({ kind: "symlink", target });

function layerFiles(entries: Readonly<Record<string, LayerEntry>>): LayerFiles {
  return { inspect: async (path) => entries[path], read: async () => "" };
}

test.each<[string, Readonly<Record<string, LayerEntry>>, string | undefined]>([
  [
    "the topmost file",
    { "/2/etc": directory, "/2/etc/passwd": file, "/1/etc": directory, "/1/etc/passwd": file },
    "/2/etc/passwd",
  ],
  [
    "a lower file below a merged folder",
    { "/2/etc": directory, "/1/etc": directory, "/1/etc/passwd": file },
    "/1/etc/passwd",
  ],
  [
    "nothing for a deleted file",
    { "/2/etc": directory, "/2/etc/passwd": whiteout, "/1/etc": directory, "/1/etc/passwd": file },
    undefined,
  ],
  [
    "nothing below a deleted folder",
    { "/2/etc": whiteout, "/1/etc": directory, "/1/etc/passwd": file },
    undefined,
  ],
  [
    "nothing through a folder that replaced a link",
    { "/2/etc": directory, "/1/etc": link("/real"), "/1/real": directory, "/1/real/passwd": file },
    undefined,
  ],
  [
    "a file behind an absolute link, inside the image",
    {
      "/2/etc": link("/usr/etc"),
      "/1/usr": directory,
      "/1/usr/etc": directory,
      "/1/usr/etc/passwd": file,
    },
    "/1/usr/etc/passwd",
  ],
  [
    "a file behind a relative link",
    {
      "/1/etc": directory,
      "/1/etc/passwd": link("../share/p"),
      "/1/share": directory,
      "/1/share/p": file,
    },
    "/1/share/p",
  ],
  [
    "a file behind a link that climbs above the root",
    { "/1/etc": directory, "/1/etc/passwd": link("../../../p"), "/1/p": file },
    "/1/p",
  ],
  ["nothing for links in a circle", { "/1/etc": link("etc") }, undefined],
  ["nothing for a folder", { "/1/etc": directory, "/1/etc/passwd": directory }, undefined],
  ["nothing below a file", { "/1/etc": file }, undefined],
])("findInLayers() finds %s", async (_, entries, expected) => {
  expect(await findInLayers(layerFiles(entries), ["/2", "/1"], "/etc/passwd")).toBe(expected);
});
