import { complain, Exit, fail, print, refuse } from "./output.ts";
import { enumeratedValues, type FlagKind, flagKinds, type Vocabulary } from "./vocabulary.ts";

declare const VOCABULARY: Vocabulary;

/** Commands that have no usage of their own in the transcripts. */
const BARE_COMMANDS = ["version"];
/** After the first word of their own these take the rest as it is. */
const VERBATIM_REST = new Set(["enter"]);

/** A flag or a word of a command, in the order in which they were given. */
export type Argument =
  | { readonly flag: string; readonly value: string }
  | { readonly word: string }
  /** Words between `--` and `---`. */
  | { readonly rest: readonly string[] };

/** A command line, taken apart and found to be made of what transcripts contain. */
export interface CommandLine {
  readonly command: string;
  readonly arguments: readonly Argument[];
  /** The words alone. */
  readonly words: readonly string[];
  /** The last value of each flag. */
  readonly flags: ReadonlyMap<string, string>;
}

/** Takes a command line apart, or ends as rkt does where it is wrong. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { command, rest, leading } = findCommand(argv);
  const usage = VOCABULARY.usages[command] ?? "";
  const scan = new Scanner(command, usage, [...leading, ...rest]);
  const found = scan.read();
  return {
    command,
    arguments: found,
    words: found.flatMap((argument) => ("word" in argument ? [argument.word] : [])),
    flags: new Map(
      found.flatMap((argument) => ("flag" in argument ? [[argument.flag, argument.value]] : [])),
    ),
  };
}

/** Prints how a command is used and ends with 254, as rkt does for wrong arguments. */
export function failWithUsage(command: string, message = ""): never {
  print(VOCABULARY.usages[command] ?? "");
  if (message !== "") complain(`Error: ${message}\n\n`);
  throw new Exit(254);
}

/** Whether a manifest's field is in a transcript. */
export function isKnownManifestField(path: string): boolean {
  return VOCABULARY.manifestFields.includes(path);
}

function findCommand(argv: readonly string[]): {
  readonly command: string;
  readonly leading: readonly string[];
  readonly rest: readonly string[];
} {
  const at = argv.findIndex((word) => !word.startsWith("-"));
  if (at < 0) return refuse("rkt without a command");
  const names = [...Object.keys(VOCABULARY.usages), ...BARE_COMMANDS];
  const leading = argv.slice(0, at);
  const one = byPrefix([...new Set(names.map((name) => name.split(" ")[0] ?? ""))], argv[at] ?? "");
  if (one === undefined) {
    complain(`Error: unknown command "${argv[at]}" for "rkt"\nRun 'rkt --help' for usage.\n`);
    throw new Exit(254);
  }
  if (names.includes(one)) return { command: one, leading, rest: argv.slice(at + 1) };
  const two = byPrefix(names, `${one} ${argv[at + 1] ?? ""}`);
  if (two === undefined) return refuse(`"rkt ${one} ${argv[at + 1] ?? ""}"`);
  return { command: two, leading, rest: argv.slice(at + 2) };
}

function byPrefix(names: readonly string[], word: string): string | undefined {
  if (names.includes(word)) return word;
  const matches = names.filter((name) => name.startsWith(word) && !word.endsWith(" "));
  return matches.length === 1 ? matches[0] : undefined;
}

class Scanner {
  readonly #command: string;
  readonly #kinds: ReadonlyMap<string, FlagKind>;
  readonly #words: readonly string[];
  #at = 0;

  constructor(command: string, usage: string, words: readonly string[]) {
    this.#command = command;
    // a command without a usage text has the global flags that every other shows
    const { own, global } = flagKinds(usage === "" ? (VOCABULARY.usages["list"] ?? "") : usage);
    this.#kinds = new Map([...(usage === "" ? [] : own), ...global]);
    this.#words = words;
  }

  read(): readonly Argument[] {
    const found: Argument[] = [];
    while (this.#at < this.#words.length) {
      const word = this.#words[this.#at++] ?? "";
      if (word === "--") found.push({ rest: this.#takeRest() });
      else if (word.startsWith("-")) found.push(this.#takeFlag(word));
      else {
        found.push({ word });
        if (VERBATIM_REST.has(this.#command)) {
          found.push({ rest: this.#words.slice(this.#at) });
          this.#at = this.#words.length;
        }
      }
    }
    return found;
  }

  #takeRest(): readonly string[] {
    const end = this.#words.indexOf("---", this.#at);
    const stop = end < 0 ? this.#words.length : end;
    const rest = this.#words.slice(this.#at, stop);
    this.#at = stop + 1;
    return rest;
  }

  #takeFlag(word: string): Argument {
    const [, flag = "", , given] = /^--([^=]*)(=([\s\S]*))?$/.exec(word) ?? [];
    const kind = this.#kinds.get(flag);
    if (kind === undefined)
      return failWithUsage(this.#command, `unknown flag: ${word.split("=")[0]}`);
    const value = given ?? this.#valueOf(kind);
    this.#check(flag, value, given !== undefined);
    return { flag, value };
  }

  #valueOf(kind: FlagKind): string {
    if (kind === "switch") return "true";
    return kind === "optional" ? "" : (this.#words[this.#at++] ?? "");
  }

  #check(flag: string, value: string, wasGiven: boolean): void {
    const { flags, values } = VOCABULARY;
    const invalid = invalidValue(flag, value);
    if (invalid !== undefined) {
      failWithUsage(
        this.#command,
        `invalid argument "${value}" for --${flag}=${value}: ${invalid}`,
      );
    }
    const known = [...(flags[this.#command] ?? []), ...(flags[""] ?? [])];
    if (!known.includes(flag)) refuse(`flag --${flag} of "${this.#command}"`);
    const unseen = enumeratedValues(flag, value).find((one) => !values[flag]?.includes(one));
    if (wasGiven && unseen !== undefined) refuse(`--${flag}=${unseen}`);
  }
}

function invalidValue(flag: string, value: string): string | undefined {
  if (flag === "format" && !["json", "json-pretty"].includes(value)) {
    return `Invalid format option: ${value}`;
  }
  if (flag !== "insecure-options") return undefined;
  const options = ["none", "image", "tls", "ondisk", "http", "pubkey", "capabilities", "paths"];
  const all = [...options, "seccomp", "all-fetch", "all-run", "all"];
  const wrong = value.split(",").find((option) => !all.includes(option));
  return wrong === undefined ? undefined : `unknown option "${wrong}"`;
}

/** Ends with `<command>: <message>`, the last word of the command as rkt prints it. */
export function failAs(command: string, message: string): never {
  return fail(`${command.slice(command.lastIndexOf(" ") + 1)}: ${message}`);
}
