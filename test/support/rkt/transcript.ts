import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { CommandResult } from "../../../src/host/index.ts";

const FIXTURES = resolve(import.meta.dirname, "../../fixtures/rkt/transcripts");

/** What a real rkt 1.30 answered; the file's first line is the command. */
export function transcript(name: string): CommandResult {
  const text = readFileSync(join(FIXTURES, name), "utf8");
  const exitCode = Number(/^# exit=(\d+) /m.exec(text)?.[1]);
  const [head = "", stderr = ""] = text.split("# --- stderr\n");
  const stdout = head.split("# --- stdout\n")[1] ?? "";
  return { exitCode, stdout, stderr };
}
