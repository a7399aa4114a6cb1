import { StowageError } from "../../errors/index.ts";
import type { ObservedPod, PodIdentity } from "../../model/index.ts";
import type { HostAccess, HostReading } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import { type Command, NOT_RUN } from "../command-line/command.ts";
import type { ByteStreams, CommandContext } from "../context.ts";
import {
  execStreams,
  notBegunCode,
  requireTerminal,
  STREAM_OPTIONS,
} from "../pods/exec-streams.ts";
import { type FoundPod, findPods } from "../pods/find-pods.ts";
import { podNameText, readPodName } from "../pods/pod-names.ts";
import { loadFleet } from "../project/load-fleet.ts";
import { didYouMean } from "../text/suggest.ts";

/** `stowage exec`. */
export const execCommand: Command = {
  help: {
    name: "exec",
    summary: "Runs a command in a running container, and exits with its exit code.",
    operands: "POD [--] COMMAND [ARGUMENT...]",
    minOperands: 2,
    maxOperands: Number.POSITIVE_INFINITY,
    options: {
      ...STREAM_OPTIONS,
      container: {
        short: "c",
        value: "NAME",
        description: "The container, where the pod has several",
      },
      host: { value: "HOST", description: "The host, where the pod is on several" },
    },
    details: [
      "The command has the container's privileges, environment, user and working directory. Its stdout, stderr and exit code are passed on. Ctrl-C ends it; with -it the command receives that key itself.",
    ],
    examples: [
      { command: "exec -it web -- sh", comment: "a shell in pod web" },
      { command: "exec edge-a/web -- uptime", comment: "on one host, where the pod is on several" },
      {
        command: "exec web -c db -- pg_dump shop > shop.sql",
        comment: "save what it prints to a file",
      },
      {
        command: "exec -i web -c db -- psql shop < shop.sql",
        comment: "and read it back from the file",
      },
    ],
    exitCodes: `the command's own; 127 when it is not in the container, 126 when it may not be run there, ${NOT_RUN} when it could not be run for another reason.`,
  },
  failed: notBegunCode,
  run: exec,
};

async function exec(args: Arguments, context: CommandContext): Promise<number> {
  const accesses: HostReading[] = [];
  const streams = await context.bytes();
  try {
    return await runIn(args, context, streams, accesses);
  } catch (error) {
    // whatever it is, it came of that
    context.drain.throwIfAborted();
    throw error;
  } finally {
    streams.close();
    await Promise.allSettled(accesses.map((access) => access[Symbol.asyncDispose]()));
  }
}

async function runIn(
  args: Arguments,
  context: CommandContext,
  streams: ByteStreams,
  accesses: HostReading[],
): Promise<number> {
  const [name = "", ...command] = args.operands;
  requireTerminal(args, streams);
  const { manifest } = await loadFleet(args, context);
  const search = {
    manifest,
    args,
    context,
    wanted: [readPodName(name)],
    doing: "run a command in",
  };
  const found = onlyOne(await findPods(search, accesses, context.connector.open), name);
  const container = containerOf(found.pod, args.text("container"));
  const { owner, fleet, host, pod, generation } = found.pod;
  const identity: PodIdentity = { owner, fleet, host, pod, generation };
  const engine = await (found.reading as HostAccess).engineAt(found.config);
  using io = execStreams(args, streams);
  const options = { signal: context.drain, streams: io };
  return (await engine.exec(identity, container, command, options)).exitCode;
}

function onlyOne(found: readonly FoundPod[], name: string): FoundPod {
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const names = found.map(({ host, pod: { pod } }) => podNameText({ host, pod }));
  throw new StowageError(
    `Cannot run a command in pod "${name}": it is on several hosts; name one of ${names.join(", ")}`,
    { code: "invalid_argument" },
  );
}

/** The container that is named, else the one that runs. */
function containerOf({ pod, containers }: ObservedPod, wanted: string | undefined): string {
  const names = Object.keys(containers);
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted;
    throw new StowageError(
      `Cannot run a command in container "${wanted}" of pod "${pod}": it has ${names.join(", ")}; ${didYouMean(wanted, names, "name one of these")}`,
      { code: "not_found" },
    );
  }
  const running = names.filter((each) => containers[each]?.state === "running");
  const [only] = running;
  if (only !== undefined && running.length === 1) return only;
  const state = only === undefined ? "none of its containers runs" : `${running.join(", ")} run`;
  const remedy = only === undefined ? "see stowage ps" : "name one with --container";
  throw new StowageError(`Cannot run a command in pod "${pod}": ${state}; ${remedy}`, {
    code: only === undefined ? "not_found" : "invalid_argument",
  });
}
