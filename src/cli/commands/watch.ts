import { StowageError } from "../../errors/index.ts";
import { type WatchEvent, type WatchRequest, watchFleet } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { Command } from "../command-line/command.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { fleetRequest, PLAN_OPTIONS, planOptions } from "../project/fleet-request.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { printable } from "../text/printable.ts";
import { declarationFile } from "../watch/declaration-file.ts";
import { WatchMetrics } from "../watch/metrics.ts";
import { levelOf, watchWords } from "../watch/watch-words.ts";

const INTERVAL_MS = 15_000;
const FULL_INTERVAL_MS = 300_000;
const MAX_PAUSE_MS = 300_000;
const PROBE_INTERVAL_MS = 10_000;
const PORT_MAX = 65_535;

/** `stowage watch`. */
export const watchCommand: Command = {
  help: {
    name: "watch",
    summary: "Keeps running: restarts what ends, as restart policies say, and repairs drift.",
    options: {
      host: PLAN_OPTIONS.host,
      pod: PLAN_OPTIONS.pod,
      "ignore-field": PLAN_OPTIONS["ignore-field"],
      drift: {
        value: "WHAT",
        description:
          "mend (default): apply what a plan shows; report: only restart what restart policies say",
      },
      interval: {
        value: "TIME",
        description: "How often to poll an engine without events (default 15s)",
      },
      "full-interval": {
        value: "TIME",
        description: "How often to make a full plan, whatever events say (default 5m)",
      },
      "max-pause": {
        value: "TIME",
        description: "Longest pause between two starts of one pod (default 5m)",
      },
      "probe-interval": {
        value: "TIME",
        description:
          "Shortest time between two runs of a probe that passes (default 10s); one that fails runs at its own interval",
      },
      "metrics-port": {
        value: "PORT",
        description: "Serve /metrics and /healthz on this port of 127.0.0.1 (0: any free port)",
      },
      "allow-removals": {
        value: "N",
        description: "Allow up to N running pods to be removed, even if that is more than half",
      },
      once: { description: "Make one pass, act on it, and exit: for cron" },
      json: { description: "Print what happens as JSON lines" },
    },
    details: [
      "A container that ended with restart policy no is reported and left. A pod that keeps ending is restarted after growing pauses.",
      "A changed manifest is loaded automatically; an app's, after stowage synth. If it cannot be loaded, this is reported and the last good one stays in use.",
      "A fleet has one watch at a time. SIGTERM or Ctrl-C finishes the running steps. Exit codes with --once: 0 nothing is left to do, 2 something is, 1 something failed.",
    ],
    examples: [
      { command: "watch", comment: "restarts and drift, until Ctrl-C" },
      {
        command: "watch --drift report --metrics-port 9464",
        comment: "only restarts; with metrics",
      },
      {
        command: "watch --ignore-field 'containers.*.resources'",
        comment: "leave the limits to others",
      },
      { command: "watch --once --json", comment: "one pass, for cron" },
    ],
  },
  changes: true,
  run: watch,
};

async function watch(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const fleet = await loadFleet(args, context);
  const { manifest: _, manifestDir: __, ...request } = await fleetRequest(fleet, args, context);
  const metrics = new WatchMetrics(fleet.manifest.name);
  const health = new Health(context);
  const print = printer(args, context);
  const times = timesOf(args);
  const onEvent = (event: WatchEvent): void => {
    metrics.take(event, context.now());
    health.take(event);
    print(event);
  };
  await using server = await serve(args, {
    metrics: () => metrics.render(),
    problem: () => health.problem(times.fullIntervalMs),
  });
  if (server !== undefined)
    context.stderr.write(`Metrics: http://127.0.0.1:${server.port}/metrics\n`);
  const end = await watchFleet({
    ...request,
    source: await declarationFile(fleet, args),
    options: planOptions(args),
    appliedBy: context.appliedBy,
    allowRemovals: args.count("allow-removals"),
    drift: driftOf(args),
    once: args.flag("once"),
    times,
    drain: context.drain,
    abort: context.abort,
    onEvent,
  });
  return end === "done" ? 0 : end === "drift" ? 2 : 1;
}

async function serve(
  args: Arguments,
  what: { readonly metrics: () => string; readonly problem: () => string | undefined },
): Promise<(AsyncDisposable & { readonly port: number }) | undefined> {
  const port = args.count("metrics-port");
  if (port === undefined) return undefined;
  if (port > PORT_MAX) {
    throw new StowageError(
      `Cannot use --metrics-port ${port}: the highest port is ${PORT_MAX}; use another`,
      { code: "invalid_argument" },
    );
  }
  const { serveMetrics } = await import("../watch/serve-metrics.ts");
  return await serveMetrics({ port, ...what });
}

function driftOf(args: Arguments): WatchRequest["drift"] {
  const word = args.text("drift") ?? "mend";
  if (word === "mend" || word === "report") return word;
  throw new StowageError(
    `Cannot use --drift ${JSON.stringify(word)}: it is neither mend nor report; use one of them`,
    { code: "invalid_argument" },
  );
}

function timesOf(args: Arguments): WatchRequest["times"] {
  return {
    intervalMs: spanOf(args, "interval", INTERVAL_MS),
    fullIntervalMs: spanOf(args, "full-interval", FULL_INTERVAL_MS),
    maxPauseMs: spanOf(args, "max-pause", MAX_PAUSE_MS),
    probeIntervalMs: spanOf(args, "probe-interval", PROBE_INTERVAL_MS),
  };
}

function spanOf(args: Arguments, name: string, byDefault: number): number {
  const ms = args.durationMs(name) ?? byDefault;
  if (ms > 0) return ms;
  throw new StowageError(`Cannot use --${name} 0: it must be above 0; write --${name} 1s`, {
    code: "invalid_argument",
  });
}

/** Lines as they come: JSON for programs, else the time and a sentence. */
function printer(args: Arguments, { stdout, paint, now }: CommandContext) {
  const [isJson, isVerbose] = [args.flag("json"), args.flag("verbose")];
  return (event: WatchEvent): void => {
    const level = levelOf(event);
    const text = watchWords(event, isVerbose || isJson);
    const at = now().toISOString();
    if (isJson) stdout.write(`${JSON.stringify({ at, level, message: text, ...event })}\n`);
    else if (text !== undefined) {
      const colour = { info: (each: string) => each, warning: paint.yellow, error: paint.red };
      stdout.write(`${paint.dim(at)} ${colour[level](printable(text))}\n`);
    }
  };
}

/** A watch is well when it looked not too long ago, and nothing failed since. */
class Health {
  readonly #context: CommandContext;
  #lookedAt: number;
  #failure: string | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#lookedAt = context.now().getTime();
  }

  take(event: WatchEvent): void {
    if (event.type === "failed") this.#failure = event.reason;
    if (event.type !== "pass") return;
    this.#lookedAt = this.#context.now().getTime();
    if (event.kind === "full") this.#failure = undefined;
  }

  problem(fullIntervalMs: number): string | undefined {
    const silentMs = this.#context.now().getTime() - this.#lookedAt;
    if (silentMs > 3 * fullIntervalMs)
      return `the last pass was ${Math.round(silentMs / 1000)} s ago`;
    return this.#failure;
  }
}
