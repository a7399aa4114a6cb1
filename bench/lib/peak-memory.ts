import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TimeOptions, timeCommand } from "./time-command.ts";

const REPORTER = join(import.meta.dirname, "report-peak-memory.cjs");

/** What a Node program took. */
export interface NodeRun {
  readonly ms: number;
  /** Most resident memory that the process had, its children not counted. */
  readonly peakBytes: number;
}

/** Runs a Node program and reads its peak memory; its time includes some milliseconds for that. */
export async function runForPeakMemory(
  args: readonly string[],
  options: TimeOptions = {},
): Promise<NodeRun> {
  const dir = mkdtempSync(join(tmpdir(), "stw-peak-"));
  const file = join(dir, "peak");
  try {
    const env = { ...options.env, STOWAGE_PEAK_MEMORY_FILE: file };
    const ms = await timeCommand(process.execPath, ["--require", REPORTER, ...args], {
      ...options,
      env,
    });
    return { ms, peakBytes: Number(readFileSync(file, "utf8")) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
