import type { Header } from "tar-stream";
import { describe, expect, test } from "vitest";
import { LayerTree } from "./layer-tree.ts";

type Line = string;

/** Layers as lines: `d path`, `f path`, `l path target` (symbolic link), `h path target` (hard link). */
function treeOf(...layers: readonly (readonly Line[])[]): LayerTree {
  const tree = new LayerTree();
  const types = { d: "directory", f: "file", l: "symlink", h: "link" } as const;
  for (const [layer, lines] of layers.entries()) {
    for (const [index, line] of lines.entries()) {
      const [kind = "", name = "", linkname = ""] = line.split(" ");
      const header = { name, linkname, type: types[kind as keyof typeof types] } as Header;
      tree.add(layer, index, header);
    }
  }
  return tree;
}

/** Paths with the layer that each file's content is from. */
function listing(tree: LayerTree): readonly string[] {
  const files = [...tree.files()].flatMap(([layer, leaves]) =>
    [...leaves.values()].flatMap(({ paths }) => paths.map((path) => `${path} ${layer}`)),
  );
  return files.sort();
}

describe("LayerTree", () => {
  test("an upper layer's file takes the place of a lower one's", () => {
    expect(listing(treeOf(["f ./a", "f b"], ["f a"]))).toEqual(["/a 1", "/b 0"]);
  });

  test("a whiteout takes away what lower layers brought, not what its own brings", () => {
    const tree = treeOf(["f d/a", "f d/b"], ["f d/.wh.a", "f d/.wh.c", "f d/c"]);
    expect(listing(tree)).toEqual(["/d/b 0", "/d/c 1"]);
  });

  test("an opaque folder hides all of the lower ones, wherever in the layer it stands", () => {
    const tree = treeOf(["f d/a", "f d/deep/b"], ["f d/new", "f d/deep/c", "f d/.wh..wh..opq"]);
    expect(listing(tree)).toEqual(["/d/deep/c 1", "/d/new 1"]);
  });

  test("a file in place of a folder takes all below it away, and the other way round", () => {
    expect(listing(treeOf(["f d/a"], ["f d"]))).toEqual(["/d 1"]);
    expect(listing(treeOf(["f d"], ["d d", "f d/a"]))).toEqual(["/d/a 1"]);
  });

  test("a hard link keeps its content when its other name is replaced above", () => {
    const tree = treeOf(["f bin/x", "h bin/y bin/x"], ["f bin/x"]);
    expect(listing(tree)).toEqual(["/bin/x 1", "/bin/y 0"]);
    const both = treeOf(["f bin/x", "h bin/y bin/x"]);
    expect(both.files().get(0)?.get(0)?.paths).toEqual(["/bin/x", "/bin/y"]);
  });

  test("a path through a symbolic link leads where the link does, within the root", () => {
    const tree = treeOf(["d usr/lib", "l lib usr/lib", "l up ../../../usr"], ["f lib/a", "f up/b"]);
    expect(listing(tree)).toEqual(["/lib 0", "/up 0", "/usr/b 1", "/usr/lib/a 1"]);
  });

  test("a file is found through symbolic links", () => {
    const tree = treeOf(["f usr/share/passwd", "l etc/passwd /usr/share/passwd"]);
    expect(tree.fileAt("etc/passwd")?.paths).toEqual([]);
    expect(tree.fileAt("etc/passwd")?.header.name).toBe("usr/share/passwd");
    expect(tree.fileAt("etc/group")).toBeUndefined();
  });

  test.each([
    ["a path out of the image", ["f ../evil"]],
    ["a hard link to nothing", ["h a b"]],
    ["links that go round", ["l a b", "l b a", "f a/x"]],
  ])("%s is refused", (_, lines) => {
    expect(() => treeOf(lines)).toThrow(/Cannot lay out file/);
  });
});
