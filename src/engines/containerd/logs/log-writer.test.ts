import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LOG_WRITER_SCRIPT } from "../../../host/index.ts";
import { findOnPath } from "../../../internal/index.ts";
import { logWriterUri } from "./log-writer.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stw-log-"));
  writeFileSync(join(folder, "writer"), LOG_WRITER_SCRIPT);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A PATH with nothing but what the shell's half needs; of busybox, whose dd may say less. */
function pathOfBusybox(): string {
  const bin = mkdtempSync(join(folder, "bin-"));
  for (const name of ["dd", "wc", "rm", "cat", "date", "ls"])
    symlinkSync(findOnPath("busybox") ?? "", join(bin, name));
  return bin;
}

/** The same of whatever the machine has, without `ls`. */
function pathWithoutPerl(): string {
  const bin = mkdtempSync(join(folder, "bin-"));
  for (const name of ["dd", "wc", "rm", "cat", "date"])
    symlinkSync(findOnPath(name) ?? "", join(bin, name));
  return bin;
}

/** Runs it as a shim does, with what two shell commands print. */
async function write(
  output: { readonly out?: string; readonly err?: string },
  {
    maxBytes = 1_000_000,
    maxFiles = 1000,
    path = process.env["PATH"] ?? "",
    script = join(folder, "writer"),
  } = {},
): Promise<readonly string[]> {
  const directory = join(folder, "logs");
  const uri = new URL(logWriterUri({ directory, maxBytes, maxFiles }, script));
  const text = uri.searchParams.get("-c") ?? "";
  const { out = ":", err = ":" } = output;
  const shell = `mkdir -p ${directory}; { { ${out}; } 2>/dev/null | { { ${err}; } 3<&- 9<&- | PATH=${path} /bin/sh -c "$TEXT" 3<&9 4<&0 5>/dev/null; } 9<&0; }`;
  const child = spawn("/bin/sh", ["-c", shell], {
    env: { ...process.env, TEXT: text },
    stdio: ["ignore", "ignore", "inherit"],
  });
  await once(child, "close");
  return logFiles();
}

function logFiles(): readonly string[] {
  return readdirSync(join(folder, "logs"))
    .filter((name) => name.endsWith(".log"))
    .sort()
    .map((name) => join(folder, "logs", name));
}

const lines = (files: readonly string[]): readonly string[] =>
  files
    .map((file) => readFileSync(file, "utf8"))
    .join("")
    .split("\n")
    .filter(Boolean);
const numbers = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => String(from + at));

const PATHS: readonly (readonly [string, () => string])[] = [
  ["with perl", () => process.env["PATH"] ?? ""],
  ["without perl", pathWithoutPerl],
  ...(findOnPath("busybox") === undefined ? [] : [["with busybox alone", pathOfBusybox] as const]),
];

describe.each(PATHS)("the log writer %s", (name, path) => {
  test("loses nothing of stdout and stderr, and keeps each in order", async () => {
    // a program writes blocks, which end in the midst of a line: the other stream comes after its last one
    const over = join(folder, "over");
    const files = await write(
      {
        out: `seq 1 50000; touch ${over}`,
        err: `until [ -e ${over} ]; do sleep 0.02; done; seq 50001 60000`,
      },
      { path: path() },
    );
    const found = lines(files);
    expect(found.filter((line) => Number(line) <= 50_000)).toEqual(numbers(1, 50_000));
    expect(found.filter((line) => Number(line) > 50_000)).toEqual(numbers(50_001, 60_000));
  });

  test("begins a new file where one is full, and keeps the newest", async () => {
    const files = await write(
      { out: "seq 1 20000" },
      { maxBytes: 4096, maxFiles: 3, path: path() },
    );
    expect(files).toHaveLength(3);
    for (const file of files) expect(statSync(file).size).toBeLessThanOrEqual(4096);
    const found = lines(files);
    expect(found.at(-1)).toBe("20000");
    expect(found.slice(1)).toEqual(numbers(20_000 - found.length + 2, 20_000));
  });

  test("notes where the bytes of another second begin, for as many files as are kept", async () => {
    const from = Math.floor(Date.now() / 1000);
    const out = "echo early; echo early; sleep 2.1; echo late; sleep 1.1; echo last";
    const [file = ""] = await write({ out }, { path: path() });
    const until = Math.floor(Date.now() / 1000);
    const marks = readFileSync(file.replace(".log", ".times"), "utf8").trimEnd().split("\n");
    const seconds = marks.map((mark) => Number(mark.split(" ")[1]));
    // the two early ones may be on either side of a second
    expect(marks.map((mark) => Number(mark.split(" ")[0])).filter((at) => at !== 6)).toEqual([
      0, 12, 17,
    ]);
    expect(seconds.toSorted()).toEqual(seconds);
    expect(seconds[0]).toBeGreaterThanOrEqual(from);
    expect(seconds.at(-1)).toBeLessThanOrEqual(until);
    expect((seconds.at(-2) ?? 0) - (seconds[0] ?? 0)).toBeGreaterThanOrEqual(2);
    await write({ out: "seq 1 20000" }, { maxBytes: 4096, maxFiles: 3, path: path() });
    const names = readdirSync(join(folder, "logs"));
    expect(names.filter((each) => each.endsWith(".times"))).toHaveLength(3);
    expect(names).toHaveLength(6);
  });

  test("goes on in the newest file when it is started again", async () => {
    await write({ out: "echo one" }, { path: path() });
    const files = await write({ out: "echo two", err: "echo err" }, { path: path() });
    expect(files).toHaveLength(1);
    expect([...lines(files)].sort()).toEqual(["err", "one", "two"]);
  });

  test("keeps what has no line end, and bytes that are no text", async () => {
    const files = await write({ out: "printf 'a\\000b\\377c'" }, { path: path() });
    expect(readFileSync(files[0] ?? "").toString("latin1")).toBe("a\0b\u00ffc");
  });

  test.runIf(name === "with perl")(
    "never cuts a line in two between files, unless it fits in none",
    async () => {
      const files = await write(
        { out: "seq 1000000 1003000; head -c 10000 /dev/zero | tr '\\000' x; echo; echo end" },
        { maxBytes: 4096, path: path() },
      );
      const first = files.map((file) => readFileSync(file, "utf8").split("\n")[0] ?? "");
      expect(first.filter((line) => /^1/.test(line)).every((line) => line.length === 7)).toBe(true);
      expect(files.map((file) => readFileSync(file, "utf8")).join("")).toContain(
        `\n${"x".repeat(10_000)}\nend\n`,
      );
    },
  );
});

describe("logWriterUri()", () => {
  test("keeps what a process says on stderr right before it ends, however late its copier comes to run", async () => {
    const script = join(folder, "late");
    const late = LOG_WRITER_SCRIPT.replace("(exec dd", `(${findOnPath("sleep")} 0.3; exec dd`);
    expect(late).not.toBe(LOG_WRITER_SCRIPT);
    writeFileSync(script, late);
    expect(lines(await write({ err: "echo err" }, { path: pathWithoutPerl(), script }))).toEqual([
      "err",
    ]);
  });

  test("has one key only, and is short", () => {
    const uri = logWriterUri(
      { directory: "/var/lib/it's here", maxBytes: 1, maxFiles: 2 },
      "/run/w",
    );
    expect([...new URL(uri).searchParams.keys()]).toEqual(["-c"]);
    expect(uri.length).toBeLessThan(500);
  });

  test("drops output, and does not end, where the script is not there", async () => {
    expect(
      await write({ out: "seq 1 50000", err: "seq 1 50000" }, { script: join(folder, "absent") }),
    ).toEqual([]);
  });
});
