import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The recorded runs of rkt 1.30.0, and the pod manifests that they name. */
export const RKT_FIXTURES = resolve(import.meta.dirname, "../../fixtures/rkt");

/** One recorded run of rkt. */
export interface Transcript {
  /** The file's name. */
  readonly name: string;
  /** What was run, as words; the first is the program. */
  readonly words: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const STDOUT = "# --- stdout\n";
const STDERR = "# --- stderr\n";

/** Reads a recorded run; undefined for one that records several commands in words of its own. */
export function parseTranscript(name: string, text: string): Transcript | undefined {
  const head = /^# \$ (.*)\n# exit=(\d+) .*\n/.exec(text);
  const [start, end] = [text.indexOf(STDOUT), text.lastIndexOf(STDERR)];
  if (head === null || start < 0 || end < start) return undefined;
  return {
    name,
    words: shellWords(head[1] ?? ""),
    exitCode: Number(head[2]),
    stdout: text.slice(start + STDOUT.length, end),
    stderr: text.slice(end + STDERR.length),
  };
}

/** Every recorded run, by file name. */
export function readTranscripts(folder = join(RKT_FIXTURES, "transcripts")): readonly Transcript[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((name) => parseTranscript(name, readFileSync(join(folder, name), "utf8")) ?? []);
}

/** The words of a line whose special characters are escaped by backslashes. */
function shellWords(line: string): readonly string[] {
  return [...line.matchAll(/(?:\\.|[^\s\\])+/g)].map(([word]) => word.replace(/\\(.)/g, "$1"));
}
