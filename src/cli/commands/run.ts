import { StowageError } from "../../errors/index.ts";
import type { FleetManifest, OneOff, PodSpec } from "../../model/index.ts";
import { type ApplyEvent, type OnceOutput, runOnce } from "../../reconcile/index.ts";
import type { Arguments } from "../arguments.ts";
import { type Command, NOT_RUN } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { type DeclaredPod, declaredPods } from "../declared-pods.ts";
import { execStreams, notBegunCode, requireTerminal, STREAM_OPTIONS } from "../exec-streams.ts";
import { fleetRequest } from "../fleet-request.ts";
import { loadFleet } from "../load-fleet.ts";
import { type PodName, podNameText, readPodName } from "../pod-names.ts";
import { PeopleProgress } from "../progress.ts";
import { RUN_OPTIONS } from "../run-options.ts";
import { printable } from "../text/printable.ts";
import { didYouMean } from "../text/suggest.ts";

/** `stowage run`. */
export const runCommand: Command = {
  help: {
    name: "run",
    summary:
      "Runs a command once, in a container of its own made after a pod's, and ends with its exit code.",
    operands: "POD [--] [COMMAND [ARGUMENT...]]",
    minOperands: 1,
    maxOperands: Number.POSITIVE_INFINITY,
    options: {
      ...STREAM_OPTIONS,
      container: { short: "c", value: "NAME", description: "The container, where it has several" },
      host: {
        value: "HOST",
        description: "The host, where the pod is on several; of a service else the first one",
      },
      env: {
        short: "e",
        value: "NAME[=VALUE]",
        multiple: true,
        description: "A variable beside its own; without a value the one of here",
      },
      entrypoint: { value: "PROGRAM", description: "In place of the image's entry point" },
      "lock-timeout": RUN_OPTIONS["lock-timeout"],
    },
    details: [
      "It has what is declared now: the image, also one that was not applied yet, environment, secrets, files, volumes, user, limits and network; no ports of the host, no probe, no restarts. The image's own entry point gets COMMAND, as with docker run; without one it runs what the container is declared to run.",
      "stdout and stderr come as one, by lines; with -i or -t byte for byte, each by itself, for which the image has to have a sleep. No apply is let at the host meanwhile. Ctrl-C ends it, and with -it it gets that key itself. What is left by a run that was killed goes with the next apply.",
    ],
    examples: [
      { command: "run web -- bin/rails db:migrate", comment: "before an apply of the new image" },
      { command: "run -it web -- bin/rails console", comment: "with a terminal" },
      { command: "run -i web -- psql < shop.sql", comment: "with what comes by a pipe" },
      { command: "run edge-a/web -- env", comment: "where it is on several hosts: on that one" },
      { command: "run web -c db -e PGHOST=db -- pg_dump shop", comment: "one of its containers" },
      { command: "run web --entrypoint sh -- -c 'ls /data'", comment: "with another program" },
    ],
    exitCodes: `the command's own; ${NOT_RUN} when it could not be run, and with -i or -t 127 when it is not in the image and 126 when it may not be run.`,
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
          `warning: ${host}/${left} is left, and goes with the next apply: ${printable(reason)}\n`,
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
