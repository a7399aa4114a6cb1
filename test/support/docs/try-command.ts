import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Arguments } from "../../../src/cli/command-line/arguments.ts";
import type { Command, OptionSpec } from "../../../src/cli/command-line/command.ts";
import { GLOBAL_OPTIONS } from "../../../src/cli/command-line/global-options.ts";
import { parseArguments, splitCommandLine } from "../../../src/cli/command-line/parse-arguments.ts";
import { CATALOG } from "../../../src/cli/commands/catalog.ts";
import { engineKind } from "../../../src/cli/commands/engines.ts";
import { StowageError } from "../../../src/errors/index.ts";
import type { Connector } from "../../../src/reconcile/index.ts";
import { fakeContext } from "../cli-context.ts";
import type { CommandLine } from "./command-lines.ts";

/** What sentences leave open (`--to N`), as help does, each with an example. */
const OPEN: Readonly<Record<string, string>> = {
  FIELD: "containers.*.env",
  FILE: "monday.plan",
  HOST: "edge-a",
  KIND: "containerd",
  N: "3",
  NAME: "edge-a",
  POD: "web",
  PORT: "9464",
  SERVICE: "web",
  TIME: "30s",
};

/** They look at the machine that they run on. */
const NOT_RUN = new Set(["boot", "doctor"]);

/** The fleet that the documentation's commands are about. */
const POD = {
  containers: { web: { image: "nginx:1.27" } },
  service: "web",
  rollout: { canary: 1 },
};
const HOST = { engine: { kind: "sim" }, pods: { web: POD } };
const FLEET = {
  version: "stowage/v1",
  name: "shop",
  id: "acme",
  hosts: {
    "edge-a": { ...HOST, address: "ssh://edge-a" },
    "edge-b": { ...HOST, address: "ssh://edge-b" },
  },
};

/** Makes a project whose app declares a fleet `shop` of two hosts with a service `web`. */
export function makeProject(folder: string): void {
  const stack = join(folder, "made/stacks/shop");
  mkdirSync(stack, { recursive: true });
  const stacks = { shop: { workingDirectory: "stacks/shop" } };
  write(join(folder, "made/manifest.json"), { stacks });
  write(join(stack, "fleet.json"), FLEET);
  write(join(folder, "fleet.json"), FLEET);
  write(join(folder, "cdktf.json"), { app: "cp -r made/. cdktf.out", projectId: "acme" });
  mkdirSync(join(folder, "cdktf.out"));
}

/**
 * What stowage's own command line has against a call, if anything. It is parsed, and every value of it read; what is to be
 * typed as it is runs to where it would reach a host.
 */
export async function refusalOf(line: CommandLine, folder: string): Promise<string | undefined> {
  const { globals, command: name, rest } = splitCommandLine(line.words);
  if (name === undefined || name === "help" || name === "version") return undefined;
  const entry = CATALOG.find((each) => each.name === name);
  if (entry === undefined) return `There is no command ${name}`;
  const command = await entry.load();
  try {
    const words = line.isWhole ? rest : mentioned(rest, command);
    const args = parseArguments(words, command.help).over(globals);
    readValues(args, command);
    if (line.isWhole && !NOT_RUN.has(name) && !args.flag("help")) await run(command, args, folder);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** What all commands have against options that are named without one. */
export async function refusalOfOptions({ words }: CommandLine): Promise<string | undefined> {
  for (const { load } of CATALOG) {
    const command = await load();
    try {
      readValues(parseArguments(mentioned(words, command), command.help), command);
      return undefined;
    } catch {}
  }
  return `No command takes ${words.join(" ")}`;
}

/** Words of a sentence as they would be typed: with an example of what it leaves open or out. */
function mentioned(words: readonly string[], { help }: Command): readonly string[] {
  const typed = words.map((word) => {
    const bare = word.replaceAll(/^\[|\]$/g, "");
    return OPEN[bare] ?? bare;
  });
  const options: Readonly<Record<string, OptionSpec>> = { ...GLOBAL_OPTIONS, ...help.options };
  const open = options[typed.at(-1)?.replace(/^--/, "") ?? ""]?.value;
  if (open !== undefined) typed.push(OPEN[open] ?? "x");
  const isValue = (at: number): boolean =>
    options[typed[at - 1]?.replace(/^--/, "") ?? ""]?.value !== undefined;
  const given = typed.filter((word, at) => !word.startsWith("-") && !isValue(at)).length;
  const missing = Math.max(0, (help.minOperands ?? 0) - given);
  return [...typed, ...Array<string>(missing).fill("web")];
}

/** Reads each value as what the help says that it is. */
function readValues(args: Arguments, { help }: Command): void {
  for (const [name, { value }] of Object.entries(help.options)) {
    if (value === "N" || value === "PORT") args.count(name);
    if (value === "TIME" && name !== "since") args.durationMs(name);
    if (name === "since") args.moment(name);
    if (value === "KIND") for (const kind of args.list(name) ?? []) engineKind(kind);
  }
}

/** Runs a command until it reaches for a host. */
async function run(command: Command, args: Arguments, folder: string): Promise<void> {
  const stop = new AbortController();
  const refuse = async (): Promise<never> => {
    stop.abort();
    throw new StowageError("Cannot reach a host: there is none here", { code: "unavailable" });
  };
  const connector: Connector = { read: refuse, open: refuse };
  const world = { connector, drain: stop.signal, answers: [false], terminal: true };
  try {
    await command.run(args, fakeContext(folder, world).context);
  } catch (error) {
    // what is not there in this folder says nothing of the call
    const isOfTheCall = !StowageError.is(error) || error.code === "invalid_argument";
    if (!stop.signal.aborted && isOfTheCall) throw error;
  }
}

function write(path: string, value: object): void {
  writeFileSync(path, JSON.stringify(value));
}
