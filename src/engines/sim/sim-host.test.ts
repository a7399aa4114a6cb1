import { expect, test } from "vitest";
import { openSim } from "./index.ts";

const open = () => openSim({ kind: "sim" }, "h");

test("a file is created once, replaced, read and removed", async () => {
  const { host } = open();
  expect(await host.createFile("/srv/a/lock", "one")).toBe(true);
  expect(await host.createFile("/srv/a/lock", "two")).toBe(false);
  const read = async () =>
    (await host.snapshot({ files: ["/srv/a/lock"] })).files.get("/srv/a/lock");
  expect(await read()).toBe("one");
  await host.writeFile("/srv/a/lock", "three");
  expect(await read()).toBe("three");
  await host.removeFile("/srv/a/lock");
  await host.removeFile("/srv/a/lock");
  expect(await read()).toBeUndefined();
});

test("* stands for anything within one segment, a dot at its beginning included", async () => {
  const { host } = open();
  for (const path of [
    "/srv/o/f/a.json",
    "/srv/o/f/.roster.json",
    "/srv/o/f/x/b.json",
    "/srv/o/g/c.txt",
  ]) {
    await host.writeFile(path, path);
  }
  const { files } = await host.snapshot({ files: ["/srv/*/*/*.json", "/srv/none/*"] });
  expect([...files.keys()].sort()).toEqual(["/srv/o/f/.roster.json", "/srv/o/f/a.json"]);
});

test("one file that cannot be read is an Error, and the others are there", async () => {
  const { host, machine } = open();
  await machine.setFile("/srv/bad", { unreadable: "permission denied" });
  await machine.setFile("/srv/good", { text: "good" });
  const { files } = await host.snapshot({ files: ["/srv/*"] });
  expect(files.get("/srv/bad")).toBeInstanceOf(Error);
  expect(files.get("/srv/good")).toBe("good");
});

test("directories are listed, measured, and removed with everything below", async () => {
  const { host } = open();
  await host.makeDirectory("/srv/data/deep", { mode: 0o700 });
  await host.writeFile("/srv/data/file", "12345");
  await host.writeFile("/srv/data/deep/file", "123");
  await host.writeFile("/srv/database", "not below");
  expect(await host.diskUsage("/srv/data")).toBe(8);
  expect(await host.diskUsage("/srv/none")).toBe(0);
  const { entries } = await host.snapshot({ list: ["/srv/data", "/srv/none"] });
  expect([...entries]).toEqual([["/srv/data", ["deep", "file"]]]);
  await host.removeDirectory("/srv/data");
  const { existing } = await host.snapshot({
    exist: ["/srv/data", "/srv/data/deep/file", "/srv/database"],
  });
  expect([...existing]).toEqual(["/srv/database"]);
});

test("a directory that was moved is reached by both names", async () => {
  const { host } = open();
  await host.writeFile("/srv/old/a.json", "text");
  await host.moveDirectory("/srv/old", "/srv/new");
  await host.moveDirectory("/srv/old", "/srv/new");
  const { files } = await host.snapshot({ files: ["/srv/old/*.json", "/srv/new/*.json"] });
  expect(Object.fromEntries(files)).toEqual({
    "/srv/old/a.json": "text",
    "/srv/new/a.json": "text",
  });
  await host.makeDirectory("/srv/third", { mode: 0o700 });
  await expect(host.moveDirectory("/srv/third", "/srv/new")).rejects.toMatchObject({
    code: "already_exists",
  });
  await host.removeFile("/srv/old");
  expect([...(await host.snapshot({ exist: ["/srv/old", "/srv/new"] })).existing]).toEqual([
    "/srv/new",
  ]);
});

test("a growing file is read from where the last stretch ended", async () => {
  const { host } = open();
  await host.writeFile("/srv/log", "abc");
  const first = await host.readFileFrom("/srv/log", 0);
  await host.writeFile("/srv/log", "abcdef");
  const second = await host.readFileFrom("/srv/log", first?.nextOffset ?? -1);
  expect(Buffer.from(second?.bytes ?? []).toString()).toBe("def");
  expect(await host.readFileFrom("/srv/none", 0)).toBeUndefined();
});
