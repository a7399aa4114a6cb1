import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findOnPath } from "../../../internal/index.ts";
import { unitText } from "./unit.ts";

const APP = "stw-web-main-1-abc";

test("a unit delegates its cgroup, ends mixed, and restarts nothing: a pod of rkt's runs once", () => {
  const text = unitText(APP, "/var/lib/stowage/rkt/pods/x/main.run", 2000);
  expect(text).toContain("\nDelegate=yes\n");
  expect(text).toContain("\nKillMode=mixed\n");
  expect(text).toContain("\nExecStart=/bin/sh /var/lib/stowage/rkt/pods/x/main.run\n");
  expect(text).toContain("\nTimeoutStopSec=7000ms\n");
  expect(text).not.toMatch(/Restart=|ExecStop=/);
});

test("a unit's command line, taken apart as systemd does, runs the script of a path with anything in it", () => {
  const folder = mkdtempSync(join(tmpdir(), "stw unit 100% $HOME "));
  try {
    const script = join(folder, "main.run");
    writeFileSync(script, "echo it ran as $0");
    const line = /^ExecStart=(.*)$/m.exec(unitText(APP, script, 2000))?.[1] ?? "";
    const [program = "", ...args] = wordsOfSystemd(line);
    const { stdout } = spawnSync(program, args, { encoding: "utf8" });
    expect(stdout).toBe(`it ran as ${script}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const verifier = process.env["STOWAGE_SYSTEMD_ANALYZE"] ?? findOnPath("systemd-analyze");

test.skipIf(verifier === undefined)(
  "systemd-analyze finds nothing wrong with a unit (skipped where there is none)",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "stw-unit-"));
    try {
      const script = join(folder, "main.run");
      writeFileSync(script, "exit 0");
      const verify = (text: string) => {
        const unit = join(folder, `${APP}.service`);
        writeFileSync(unit, text);
        const { status, stdout, stderr } = spawnSync(verifier ?? "", ["verify", unit], {
          encoding: "utf8",
        });
        const said = `${stdout}${stderr}`.split("\n").filter((line) => line.includes(APP));
        return { status, said };
      };
      expect(verify(unitText(APP, script, 2000)).said).toEqual([]);
      // it is no verdict where nothing is ever found
      expect(verify(unitText(APP, script, 2000).replace("mixed", "sometimes")).said).not.toEqual(
        [],
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

/** A command line as systemd reads it: words, quotes, and specifiers and variables that are doubled. */
function wordsOfSystemd(line: string): readonly string[] {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? "") : quoted.replace(/\\(.)/g, "$1"),
  );
  return words.map((word) => {
    if (/%[^%]/.test(word.replaceAll("%%", "")) || /\$\w/.test(word.replaceAll("$$", "")))
      throw new Error(`"${word}" would be expanded`);
    return word.replaceAll("%%", "%").replaceAll("$$", "$");
  });
}
