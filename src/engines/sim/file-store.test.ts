import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSim } from "./index.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stowage-sim-file-"));
  file = join(folder, "host.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => openSim({ kind: "sim", file }, "h");

test("a host in a file is there for the next who opens it", async () => {
  await open().host.writeFile("/srv/x", "text");
  const { files } = await open().host.snapshot({ files: ["/srv/x"] });
  expect(files.get("/srv/x")).toBe("text");
  expect(readdirSync(folder)).toEqual(["host.json"]);
});

test("looking writes nothing, neither the first time nor later", async () => {
  const { host, engine } = open();
  await host.snapshot({ listening: true });
  await engine.observe();
  expect(readdirSync(folder)).toEqual([]);
  await host.writeFile("/srv/x", "text");
  const before = statSync(file, { bigint: true });
  await host.snapshot({ listening: true });
  await engine.observe();
  const after = statSync(file, { bigint: true });
  expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
});

test("one handle sees what another one changed", async () => {
  const [first, second] = [open(), open()];
  await first.host.writeFile("/srv/x", "1");
  expect((await second.host.snapshot({ files: ["/srv/x"] })).files.get("/srv/x")).toBe("1");
  await second.host.writeFile("/srv/x", "2");
  expect((await first.host.snapshot({ files: ["/srv/x"] })).files.get("/srv/x")).toBe("2");
});

test("a file of something else is refused, and stays as it is", async () => {
  writeFileSync(file, '{"version": 99}');
  await expect(open().host.snapshot({})).rejects.toMatchObject({ code: "failed_precondition" });
  await expect(open().host.writeFile("/srv/x", "")).rejects.toMatchObject({
    code: "failed_precondition",
  });
  expect(readdirSync(folder)).toEqual(["host.json"]);
});

test("the lock of a process that is gone does not stop anybody", async () => {
  writeFileSync(`${file}.lock`, "4194305 1");
  await open().host.writeFile("/srv/x", "text");
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test("neither does one that was made and never written", async () => {
  writeFileSync(`${file}.lock`, "");
  utimesSync(`${file}.lock`, 1, 1);
  await open().host.writeFile("/srv/x", "text");
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test("processes that write at once lose nothing, also when one is killed among them", async () => {
  const program = join(folder, "writer.mjs");
  const source = JSON.stringify(new URL("./index.ts", import.meta.url).href);
  writeFileSync(
    program,
    `const { openSim } = await import(${source});
     const [file, name, count] = process.argv.slice(2);
     const { host } = openSim({ kind: "sim", file }, "h");
     for (let at = 0; at < Number(count); at += 1) {
       await host.createFile("/srv/" + name + "-" + at, "x");
       process.stdout.write(at + "\\n");
     }`,
  );
  const start = (name: string, count: number) =>
    spawn(process.execPath, ["--import", "tsx", program, file, name, String(count)], {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: import.meta.dirname,
    });
  const writers = [start("a", 40), start("b", 40)];
  const victim = start("victim", 1_000_000);
  let done = 0;
  victim.stdout.on("data", (data: Buffer) => {
    done = Number(data.toString().trim().split("\n").at(-1));
    if (done > 10) victim.kill("SIGKILL");
  });
  const codes = await Promise.all(writers.map(async (writer) => (await once(writer, "exit"))[0]));
  if (victim.exitCode === null && victim.signalCode === null) await once(victim, "exit");
  expect(codes).toEqual([0, 0]);
  const { entries } = await open().host.snapshot({ list: ["/srv"] });
  const names = entries.get("/srv") ?? [];
  for (const name of ["a", "b"]) {
    expect(names.filter((each) => each.startsWith(`${name}-`))).toHaveLength(40);
  }
  expect(names.filter((each) => each.startsWith("victim-")).length).toBeGreaterThan(done);
}, 60_000);
