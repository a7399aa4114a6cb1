import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { StowageError } from "../errors/index.ts";

const FILE_BYTES_MAX = 1024 * 1024;
/** As deep as ssh itself follows Include. */
const DEPTH_MAX = 16;
/** A word of such a line, bare or between quotes. */
const WORD = /"([^"]*)"|([^\s"]+)/g;

/** A word after `Host` that is no pattern, and where it stands. */
export interface SshEntry {
  readonly alias: string;
  readonly file: string;
  readonly line: number;
}

/**
 * The hosts that a configuration of ssh names, in its order, with those of the files that it includes. ssh
 * can say what it makes of a host, but not which ones there are: only `Host` and `Include` are read here.
 *
 * @throws StowageError naming the file that cannot be read
 */
export function sshEntries(file: string): readonly SshEntry[] {
  // to ssh a file of the user's is in ~/.ssh, wherever it lies
  return entriesOf(file, join(homedir(), ".ssh"), 0);
}

function entriesOf(file: string, base: string, depth: number): readonly SshEntry[] {
  return readText(file)
    .split(/\r?\n/)
    .flatMap((text, index): readonly SshEntry[] => {
      const [, keyword = "", rest = ""] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)$/.exec(text) ?? [];
      const words = wordsOf(rest);
      if (keyword.toLowerCase() === "host") {
        return words.filter(isNoPattern).map((alias) => ({ alias, file, line: index + 1 }));
      }
      if (keyword.toLowerCase() !== "include") return [];
      if (depth >= DEPTH_MAX) {
        throw new StowageError(
          `Cannot read ssh configuration "${file}": line ${index + 1} includes more than ${DEPTH_MAX} files deep; remove the loop`,
          { code: "invalid_argument" },
        );
      }
      return words
        .flatMap((word) => filesOf(word, base))
        .flatMap((each) => entriesOf(each, base, depth + 1));
    });
}

function wordsOf(rest: string): readonly string[] {
  const comment = /(?:^|\s)#/.exec(rest);
  const text = comment === null ? rest : rest.slice(0, comment.index);
  return [...text.matchAll(WORD)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

/** One with `!` says what a pattern before it does not mean. */
function isNoPattern(word: string): boolean {
  return word !== "" && !/[*?!]/.test(word);
}

/** Files that an Include means; a pattern may mean none. */
function filesOf(word: string, base: string): readonly string[] {
  const home = word.startsWith("~/") ? join(homedir(), word.slice(2)) : word;
  const path = isAbsolute(home) ? home : join(base, home);
  let found = ["/"];
  for (const part of path.split("/").filter((each) => each !== "")) {
    const isPattern = /[*?]/.test(part);
    found = found.flatMap((directory) =>
      isPattern
        ? namesIn(directory)
            .filter((name) => matches(name, part))
            .map((name) => join(directory, name))
        : [join(directory, part)],
    );
  }
  return found.filter((each) => statSync(each, { throwIfNoEntry: false })?.isFile() === true);
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    // not there, or not ours to read: the pattern means nothing in it
    return [];
  }
}

function matches(name: string, pattern: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(name);
}

function readText(file: string): string {
  try {
    if (statSync(file).size > FILE_BYTES_MAX) throw new Error("it is larger than 1 MiB");
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StowageError(
      `Cannot read ssh configuration "${file}": ${reason}; name one with file`,
      {
        code: "invalid_argument",
        cause: error,
      },
    );
  }
}
