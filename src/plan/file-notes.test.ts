import { expect, test } from "vitest";
import type { ContainerSpec, FileSpec } from "../model/index.ts";
import { unreadableNotes } from "./file-notes.ts";

const SECRET = { secret: { fromEnv: "DB" } };

function notes(file: FileSpec, more: Partial<ContainerSpec> = {}, imageUser?: string) {
  const web = { image: "web:1", files: { "/run/secrets/db": file }, ...more };
  const users = imageUser === undefined ? {} : { web: imageUser };
  return unreadableNotes({ containers: { web } }, users);
}

test("a secret that an image's user cannot read is told, with the field to set", () => {
  const file = 'containers.web.files["/run/secrets/db"] is owned by root, with mode 0400';
  expect(notes(SECRET, {}, "node")).toEqual([
    `${file}, and web runs as node, as its image says: it cannot read the file; set uid to the number of node there, or mode: "0444"`,
  ]);
  expect(notes(SECRET, {}, "1000:1000")).toEqual([
    `${file}, and web runs as 1000:1000, as its image says: it cannot read the file; set uid: 1000 there, or mode: "0444"`,
  ]);
  expect(notes(SECRET, { user: "app" })).toEqual([
    expect.stringContaining("web runs as app, as it is declared"),
  ]);
  expect(notes({ content: "x", mode: "0640" }, {}, "node")).toHaveLength(1);
});

test.each<[string, FileSpec, Partial<ContainerSpec>, string | undefined]>([
  ["nobody knows whom the image runs as", SECRET, {}, undefined],
  ["the image runs as root", SECRET, {}, "root"],
  ["the image runs as root, by number", SECRET, {}, "0:0"],
  ["it runs as root by its declaration", SECRET, { user: "0" }, "node"],
  ["its user is a number, and so the owner", SECRET, { user: "1000" }, "node"],
  ["the file has an owner", { ...SECRET, uid: 1000 }, {}, "node"],
  ["everybody may read it", { ...SECRET, mode: "0444" }, {}, "node"],
  ["a group may read it", { ...SECRET, mode: "0440", gid: 1000 }, {}, "node"],
  ["it is no secret", { content: "x" }, {}, "node"],
])("nothing is told where %s", (_, file, more, imageUser) => {
  expect(notes(file, more, imageUser)).toEqual([]);
});
