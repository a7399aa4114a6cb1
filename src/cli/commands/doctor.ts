import { StowageError } from "../../errors/index.ts";
import { type HostSpec, hostDirectories } from "../../model/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import type { Check } from "../doctor/check.ts";
import { engineCheck } from "../doctor/engine-check.ts";
import { readFarFacts } from "../doctor/far-facts.ts";
import { machineChecks } from "../doctor/machine-checks.ts";
import { readMachineFacts } from "../doctor/machine-facts.ts";
import { neededPrograms } from "../doctor/needed-programs.ts";
import { type HostReport, renderDoctor } from "../doctor/render-doctor.ts";
import { selectHosts } from "../pods/select-hosts.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { isAddress, strayHost } from "../project/stray-fleet.ts";

/** `stowage doctor`. */
export const doctorCommand: Command = {
  help: {
    name: "doctor",
    summary:
      "Checks whether hosts are ready for Stowage, and says what to do if not. Changes nothing.",
    options: {
      host: {
        value: "HOST",
        multiple: true,
        description: "Only this host of the manifest; or an address, without a manifest",
      },
      engine: {
        value: "KIND[:PATH]",
        description: "Without a manifest: the engine to check for (default containerd)",
      },
      "state-dir": { value: "DIR", description: "Without a manifest: the state directory" },
      json: { description: "Print the findings as JSON" },
    },
    details: ["Without a manifest (-f) and without --host it checks this machine."],
    examples: [
      { command: "doctor", comment: "this machine, for containerd" },
      { command: "doctor --engine podman", comment: "this machine, for podman" },
      {
        command: "doctor --host ssh://ops@10.0.0.7 --engine podman",
        comment: "another machine, before it is declared",
      },
      { command: "doctor -f fleet.json", comment: "the hosts of a fleet" },
    ],
  },
  run: doctor,
};

async function doctor(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const hosts = await hostsToCheck(args, context);
  const reports: HostReport[] = [];
  for (const [host, spec] of hosts)
    reports.push({ host, checks: await checkHost(host, spec, context) });
  const ready = reports.every(({ checks }) => checks.every(({ status }) => status !== "fail"));
  const { stdout, paint } = context;
  if (args.flag("json")) stdout.write(`${JSON.stringify({ ready, hosts: reports })}\n`);
  else stdout.write(renderDoctor(reports, { paint, columns: stdout.columns }));
  return ready ? 0 : 1;
}

async function hostsToCheck(
  args: Arguments,
  context: CommandContext,
): Promise<readonly (readonly [string, HostSpec])[]> {
  const named = args.list("host") ?? [];
  const addresses = named.filter(isAddress);
  if (args.text("file") !== undefined || addresses.length < named.length) {
    refuseWithManifest(args, addresses);
    return selectHosts((await loadFleet(args, context)).manifest, args);
  }
  if (addresses.length === 0) return [["this machine", strayHost("local", args)]];
  return addresses.map((address) => [address, strayHost(address, args)]);
}

function refuseWithManifest(args: Arguments, addresses: readonly string[]): void {
  const misplaced = ["engine", "state-dir"].find((name) => args.flag(name));
  if (misplaced === undefined && addresses.length === 0) return;
  const what = misplaced === undefined ? `--host ${addresses[0]}` : `--${misplaced}`;
  throw new StowageError(
    `Cannot use ${what} with a manifest: the manifest sets it for each host; leave it out, or name no manifest`,
    { code: "invalid_argument" },
  );
}

async function checkHost(
  host: string,
  spec: HostSpec,
  context: CommandContext,
): Promise<readonly Check[]> {
  const { kind } = spec.engine;
  if (spec.address !== "local" && kind !== "sim") return await checkFar(host, spec, context);
  const { stateDir } = hostDirectories(spec);
  const programs = neededPrograms(spec.engine).map(({ name }) => name);
  const facts = await readMachineFacts(stateDir, programs, context.env);
  const ofMachine = machineChecks({ ...facts, platform: context.platform }, stateDir, spec.engine);
  if (context.platform !== "linux") return ofMachine;
  const ofEngine = await engineCheck(kind, async () => {
    await using reading = await context.connector.read(host, spec, context.drain);
    return await reading.engine.info({ signal: context.drain, afresh: true });
  });
  return [...ofMachine, ofEngine];
}

/** A host that is reached by ssh: nothing else is known of one that cannot be reached. */
async function checkFar(
  host: string,
  spec: HostSpec,
  { connector, drain }: CommandContext,
): Promise<readonly Check[]> {
  const { kind } = spec.engine;
  const { stateDir } = hostDirectories(spec);
  const names = neededPrograms(spec.engine).map(({ name }) => name);
  try {
    await using reading = await connector.read(host, spec, drain);
    const facts = await readFarFacts(reading.host, stateDir, names, drain);
    return [
      { name: "address", status: "ok", finding: `${spec.address} can be reached` },
      ...machineChecks(facts, stateDir, spec.engine),
      await engineCheck(
        kind,
        async () => await reading.engine.info({ signal: drain, afresh: true }),
      ),
    ];
  } catch (error) {
    if (!StowageError.is(error)) throw error;
    const [finding = "", ...remedy] = error.message.split("; ");
    return [{ name: "address", status: "fail", finding, remedy: remedy.join("; ") }];
  }
}
