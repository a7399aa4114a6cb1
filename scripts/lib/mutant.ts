import { basename } from "node:path";
import { StowageError } from "../../src/errors/index.ts";

/** A patch that breaks the product in one way, and the test that must notice. */
export interface Mutant {
  readonly name: string;
  /** What the product promises and the patch breaks, in words. */
  readonly promise: string;
  readonly project: string;
  readonly testFile: string;
  readonly testTitle: string;
}

const TEST_FORM = /^(?<file>\S+\.test\.ts)\s+-t\s+"(?<title>.+)"$/;

/**
 * Reads the header of a patch: the lines before its first diff, each `key: value`.
 *
 * Keys are `promise`, `project` (of vitest) and `test` (`<file> -t "<title>"`), all required.
 *
 * @throws StowageError `invalid_argument` naming the file and the key.
 */
export function parseMutant(path: string, text: string): Mutant {
  const name = basename(path, ".patch");
  const header = text.split(/^(?:diff --git |--- )/m, 1)[0] ?? "";
  const fields = new Map(
    header.split("\n").flatMap((line): [string, string][] => {
      const match = /^(\w+):\s*(.+?)\s*$/.exec(line);
      return match?.[1] && match[2] ? [[match[1], match[2]]] : [];
    }),
  );
  const field = (key: string): string => {
    const value = fields.get(key);
    if (value === undefined) throw unreadable(name, `its header has no line "${key}: ..."`);
    return value;
  };
  const test = TEST_FORM.exec(field("test"))?.groups;
  if (test?.["file"] === undefined || test["title"] === undefined) {
    throw unreadable(name, 'its line "test:" must be `<file>.test.ts -t "<title>"`');
  }
  if (header.length === text.length) throw unreadable(name, "it holds no diff");
  return {
    name,
    promise: field("promise"),
    project: field("project"),
    testFile: test["file"],
    testTitle: test["title"],
  };
}

function unreadable(name: string, state: string): StowageError {
  return new StowageError(`Cannot read mutant "${name}": ${state}`, { code: "invalid_argument" });
}
