import { StowageError } from "../../errors/index.ts";
import type { FleetManifest, OneOff, PodSpec } from "../../model/index.ts";
import { type ApplyEvent, type OnceOutput, runOnce } from "../../reconcile/index.ts";
import { PeopleProgress } from "../apply/progress.ts";
import type { Arguments } from "../command-line/arguments.ts";
import { type Command, NOT_RUN } from "../command-line/command.ts";
import { RUN_OPTIONS } from "../command-line/run-options.ts";
import type { CommandContext } from "../context.ts";
import { type DeclaredPod, declaredPods } from "../pods/declared-pods.ts";
import {
  execStreams,
  notBegunCode,
  requireTerminal,
  STREAM_OPTIONS,
} from "../pods/exec-streams.ts";
import { type PodName, podNameText, readPodName } from "../pods/pod-names.ts";
import { fleetRequest } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";
import { didYouMean } from "../text/suggest.ts";

/** `stowage run`. */
export const runCommand: Command = {
  help: {
    name: "run",
    summary: "Runs a command once, in a new container like a pod's, and exits with its exit code.",
    operands: "POD [--] [COMMAND [ARGUMENT...]]",
    minOperands: 1,
    maxOperands: Number.POSITIVE_INFINITY,
    options: {
      ...STREAM_OPTIONS,
      container: {
        short: "c",
        value: "NAME",
        description: "The container, where the pod has several",
      },
      host: {
        value: "HOST",
        description:
          "The host, where the pod is on several (default for a service: its first host)",
      },
      env: {
        short: "e",
        value: "NAME[=VALUE]",
        multiple: true,
        description: "Set another variable; without a value, the one of this environment",
      },
      entrypoint: {
        value: "PROGRAM",
        description: "Run this program instead of the image's entry point",
      },
      "lock-timeout": RUN_OPTIONS["lock-timeout"],
    },
    details: [
      "The container has what is declared now, applied or not: image, environment, secrets, files, volumes, user, limits and network, but no host ports, probe or restarts. COMMAND goes to the image's entry point, as with docker run; without one, the declared command runs.",
      "stdout and stderr are merged line by line; with -i or -t they are passed on separately, byte for byte, for which the image must contain a sleep program. The host is locked against applies meanwhile. Ctrl-C ends the command; with -it it receives that key itself. The next apply removes what a killed run left.",
    ],
    examples: [
      { command: "run web -- bin/rails db:migrate", comment: "before the new image is applied" },
      { command: "run -it web -- bin/rails console", comment: "with a terminal" },
      { command: "run -i web -- psql < shop.sql", comment: "with input from a file" },
      { command: "run edge-a/web -- env", comment: "on one host, where the pod is on several" },
      {
        command: "run web -c db -e PGHOST=db -- pg_dump shop",
        comment: "in one of several containers, with another variable",
      },
      {
        command: "run web --entrypoint sh -- -c 'ls /data'",
        comment: "with another program than the entry point",
      },
    ],
    exitCodes: `the command's own; ${NOT_RUN} when it could not be run, and with -i or -t 127 when it is not in the image and 126 when it is not executable.`,
  },
  changes: true,
  failed: notBegunCode,
  run,
};

async function run(args: Arguments, context: CommandContext): Promise<number> {
  const [name = "", ...command] = args.operands;
  const env = readEnv(args.list("env") ?? [], context.env);
  const entrypoint = args.text("entrypoint");
  const lockTimeoutMs = args.durationMs("lock-timeout") ?? 0;
  const fleet = await loadFleet(args, context);
  const { host, pod, spec } = findDeclared(fleet.manifest, readPodName(name), args);
  const once: OneOff = {
    container: containerOf(spec, pod, args.text("container")),
    ...(command.length === 0 ? {} : { args: command }),
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(Object.keys(env).length === 0 ? {} : { env }),
  };
  const progress = quietProgress(context);
  const output = await outputOf(args, context);
  try {
    return await runOnce({
      ...(await fleetRequest(fleet, args, context)),
      host,
      pod,
      once,
      appliedBy: context.appliedBy,
      lockTimeoutMs,
      draining: context.drain,
      signal: context.abort,
      onEvent: progress.show,
      onStarted: progress.end,
      output,
      onLeft: (left, reason) =>
        context.stderr.write(
          `warning: ${host}/${left} is left over, and the next apply removes it: ${printable(reason)}\n`,
        ),
    });
  } finally {
    progress.end();
    output[Symbol.dispose]();
  }
}

/** By lines, or byte for byte where it has input or a terminal. */
async function outputOf(
  args: Arguments,
  context: CommandContext,
): Promise<OnceOutput & Disposable> {
  if (!args.flag("interactive") && !args.flag("tty")) {
    const onLine = async ({ text }: { readonly text: string }): Promise<void> => {
      context.stdout.write(`${text}\n`);
      await context.stdout.ready();
    };
    return { kind: "lines", onLine, [Symbol.dispose]: () => {} };
  }
  const streams = await context.bytes();
  requireTerminal(args, streams);
  return {
    kind: "streams",
    streams: () => execStreams(args, streams),
    [Symbol.dispose]: () => streams.close(),
  };
}

/** On stderr, and only while something takes long or goes wrong: stdout is the command's. */
function quietProgress({ stderr, paint, env }: CommandContext) {
  const live = stderr.isTerminal && env["TERM"] !== "dumb";
  const shown = new PeopleProgress(stderr, paint, live);
  return {
    show: (event: ApplyEvent): void => {
      if (event.type === "step-failed") return;
      if (event.type !== "change-done") shown.show(event);
      else if (event.outcome.action === "import") shown.show(event);
    },
    end: (): void => shown.end(),
  };
}

/** @throws StowageError `invalid_argument` for what is no variable, or one that is not set here */
function readEnv(
  given: readonly string[],
  environment: CommandContext["env"],
): Readonly<Record<string, string>> {
  const found = given.map((text): [string, string] => {
    const [, name, value] = /^([^=]+)(?:=(.*))?$/s.exec(text) ?? [];
    const set = value ?? environment[name ?? ""];
    if (name !== undefined && set !== undefined) return [name, set];
    const why = name === undefined ? "it has no name" : "it is not set here";
    throw new StowageError(
      `Cannot use --env ${JSON.stringify(name ?? text)}: ${why}; write --env NAME=VALUE`,
      { code: "invalid_argument" },
    );
  });
  return Object.fromEntries(found);
}

/** The one pod that is meant. @throws StowageError `not_found` for no pod, `invalid_argument` for several */
function findDeclared(manifest: FleetManifest, name: PodName, args: Arguments): DeclaredPod {
  const meant = declaredPods(manifest, [name], args, "run a command after");
  const [first] = meant;
  // those of a service are alike
  if (
    first !== undefined &&
    meant.every(({ spec }) => spec === first.spec || isOneService(spec, first.spec))
  )
    return first;
  const names = meant.map(podNameText);
  throw new StowageError(
    `Cannot run a command after pod "${podNameText(name)}": it is on several hosts; name one of ${names.join(", ")}`,
    { code: "invalid_argument" },
  );
}

function isOneService(one: PodSpec, other: PodSpec): boolean {
  return one.service !== undefined && one.service === other.service;
}

/** The container that is named, else the one that is no init container. */
function containerOf(spec: PodSpec, pod: string, wanted: string | undefined): string {
  const names = Object.keys(spec.containers);
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted;
    throw new StowageError(
      `Cannot run a command after container "${wanted}" of pod "${pod}": it has ${names.join(", ")}; ${didYouMean(wanted, names, "name one of these")}`,
      { code: "not_found" },
    );
  }
  const main = names.filter((each) => spec.containers[each]?.init !== true);
  const [only] = main;
  if (only !== undefined && main.length === 1) return only;
  throw new StowageError(
    `Cannot run a command after pod "${pod}": it has ${main.join(", ")}; name one with --container`,
    { code: "invalid_argument" },
  );
}
