import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { RKT_FIXTURES, readTranscripts, type Transcript } from "../support/rkt/recorded-run.ts";
import { enumeratedValues, flagKinds, manifestPaths, type Vocabulary } from "./vocabulary.ts";

/** `rkt` in a transcript stands for rkt with these flags. */
const ALWAYS_GIVEN = ["dir", "local-config", "system-config"];

/** Reads from the fixtures all that rkt was seen to be asked. */
export function deriveVocabulary(): Vocabulary {
  const transcripts = readTranscripts();
  const usages = Object.fromEntries(
    transcripts
      .filter(({ words }) => words[1] === "help")
      .map(({ words, stdout }) => [words.slice(2).join(" "), stdout]),
  );
  const flags: Record<string, Set<string>> = { "": new Set(ALWAYS_GIVEN) };
  const values: Record<string, Set<string>> = {};
  const manifests = new Set<string>();
  for (const transcript of transcripts.filter(({ words }) => words[1] !== "help")) {
    for (const { command, flag, value } of flagsOf(transcript, usages)) {
      const set = flags[command] ?? new Set();
      flags[command] = set.add(flag);
      for (const one of enumeratedValues(flag, value ?? "")) {
        values[flag] = (values[flag] ?? new Set()).add(one);
      }
      if (flag === "pod-manifest" && value !== undefined) manifests.add(basename(value));
    }
  }
  return {
    usages,
    flags: mapSets(flags),
    values: mapSets(values),
    manifestFields: manifestFields(manifests),
  };
}

interface FlagUse {
  /** Empty for a global flag. */
  readonly command: string;
  readonly flag: string;
  readonly value: string | undefined;
}

function flagsOf(
  { words, exitCode, stderr }: Transcript,
  usages: Readonly<Record<string, string>>,
): readonly FlagUse[] {
  // a run that was refused for its flag is no run with that flag
  if (exitCode === 254 && /^Error: (unknown flag|invalid argument)/m.test(stderr)) return [];
  const start = words.findIndex((word) => basename(word) === "rkt");
  const rest = start < 0 ? [] : words.slice(start + 1);
  const plain = rest.filter((word) => !word.startsWith("-"));
  const command = [plain.slice(0, 2).join(" "), plain[0] ?? ""].find((name) => name in usages);
  const { own, global } = flagKinds(usages[command ?? "list"] ?? "");
  return ownWords(rest, command, plain[1]).flatMap(({ word, next }) => {
    const [, flag = "", given] = /^--([a-z0-9-]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const kind = own.get(flag) ?? global.get(flag);
    if (kind === undefined) return [];
    const value = given ?? (kind === "value" ? next : undefined);
    return [{ command: own.has(flag) ? (command ?? "") : "", flag, value }];
  });
}

/** The words that are rkt's own, each with the one after it, and not those of an app. */
function ownWords(words: readonly string[], command: string | undefined, firstArgument = "") {
  let isArgument = false;
  return words.flatMap((word, at) => {
    if (word === "--" || word === "---") isArgument = word === "--";
    if (command === "enter" && word === firstArgument) isArgument = true;
    return isArgument ? [] : [{ word, next: words[at + 1] }];
  });
}

function manifestFields(names: ReadonlySet<string>): readonly string[] {
  const folder = join(RKT_FIXTURES, "manifests");
  const files = readdirSync(folder).filter((name) => names.has(name));
  const documents = files.flatMap((name) => parseJson(readFileSync(join(folder, name), "utf8")));
  return [...new Set(documents.flatMap((document) => manifestPaths(document)))].toSorted();
}

/** One of the recorded manifests is no JSON on purpose. */
function parseJson(text: string): readonly unknown[] {
  try {
    return [JSON.parse(text) as unknown];
  } catch {
    return [];
  }
}

function mapSets(sets: Readonly<Record<string, ReadonlySet<string>>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(sets).map(([key, set]) => [key, [...set].toSorted()]));
}
