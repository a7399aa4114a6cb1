import { StowageError } from "../../errors/index.ts";
import { openLocalHost } from "../../host/index.ts";
import { hostLayout, parseRoster, type RosterHost, rosterEngine } from "../../model/index.ts";
import { type BootEvent, bootFleet, type Connector } from "../../reconcile/index.ts";
import { outcomeWords } from "../apply/outcome-words.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { printable } from "../text/printable.ts";

const PATIENCE_MS = 600_000;

/** `stowage boot`. */
export const bootCommand: Command = {
  help: {
    name: "boot",
    summary:
      "Brings the networks and pods of a fleet back on this machine after it was started, as they were last applied. Units that apply installs run it.",
    options: {
      owner: { value: "ID", description: "Owner of the fleet" },
      host: { value: "HOST", description: "Name that this machine has in the fleet" },
      "state-dir": { value: "DIR", description: "Its stateDir (default /var/lib/stowage)" },
      "run-dir": { value: "DIR", description: "Its runDir (default /run/stowage)" },
      patience: {
        value: "TIME",
        description: "How long to retry what fails at first (default 10m)",
      },
    },
    details: [
      "Needs neither a manifest nor a registry. It starts the pods whose restart policy says so, after the pods that they depend on.",
      "A pod whose secret files were in memory waits for stowage apply, and so do those that depend on it.",
      "Exit code 0 when all was started that could be, else 1.",
    ],
    examples: [
      { command: "boot --owner 1f0c --fleet shop --host edge-a", comment: "what the unit runs" },
    ],
  },
  changes: true,
  run: boot,
};

async function boot(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const [owner, fleet, host] = [named(args, "owner"), named(args, "fleet"), named(args, "host")];
  const stateDir = args.text("state-dir") ?? "/var/lib/stowage";
  const runDir = args.text("run-dir") ?? "/run/stowage";
  const { rosterFile } = hostLayout({ stateDir, runDir }, owner, fleet);
  const entry = await rosterHost(rosterFile, host);
  const isDone = await bootFleet({
    connector: onThisMachine(context.connector),
    ...{ owner, fleet, host },
    spec: { address: entry.address, engine: rosterEngine(entry), stateDir, runDir },
    appliedBy: context.appliedBy,
    patienceMs: args.durationMs("patience") ?? PATIENCE_MS,
    drain: context.drain,
    abort: context.abort,
    onEvent: (event) => context.stdout.write(`${printable(eventWords(event))}\n`),
  });
  return isDone ? 0 : 1;
}

/** However others reach this machine: here it is the local one. */
function onThisMachine({ read, open }: Connector): Connector {
  return {
    read: (name, spec, signal) => read(name, { ...spec, address: "local" }, signal),
    open: (name, spec, signal) => open(name, { ...spec, address: "local" }, signal),
  };
}

async function rosterHost(file: string, name: string): Promise<RosterHost> {
  await using host = openLocalHost();
  const { files } = await host.snapshot({ files: [file] });
  const text = files.get(file);
  const reading = typeof text === "string" ? parseRoster(text) : undefined;
  const found = reading?.kind === "roster" ? reading.roster.hosts[name] : undefined;
  if (found !== undefined) return found;
  const why =
    text === undefined
      ? `there is no ${file}`
      : reading?.kind === "roster"
        ? `${file} names no such host`
        : `${file} cannot be read`;
  throw new StowageError(
    `Cannot bring back the pods of host "${name}": ${why}; apply the fleet again`,
    { code: "not_found" },
  );
}

function named(args: Arguments, option: string): string {
  const value = args.text(option);
  if (value !== undefined) return value;
  throw new StowageError(`Cannot boot: --${option} is missing; see stowage boot --help`, {
    code: "invalid_argument",
  });
}

function eventWords(event: BootEvent): string {
  switch (event.type) {
    case "started": {
      const { outcome } = event;
      const why = outcome.reason === undefined ? "" : `: ${outcome.reason}`;
      return `${outcome.id}: ${outcomeWords(outcome)}${why}`;
    }
    case "waits":
      return `${event.id} waits: ${event.reason}`;
    case "left":
      return `${event.id} is left as it is: ${event.reason}`;
    case "not-yet":
      return `trying again: ${event.reason}`;
    default:
      return event satisfies never;
  }
}
