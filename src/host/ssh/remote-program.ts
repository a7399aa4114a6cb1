import { StowageError } from "../../errors/index.ts";
import { onAbort } from "../../internal/index.ts";
import type { ByteSink, CommandResult, RunOptions } from "../host.ts";
import { hasEnded, linesOf } from "../local/run-lines.ts";
import { OUTPUT_BYTES_MAX, spawnError, tooMuch } from "../local/run-program.ts";
import type { Channel } from "./channel.ts";
import { defer } from "./deferred.ts";
import { RemoteError } from "./remote-error.ts";
import type { Session } from "./session.ts";

/** Time that the host has to say that something has been killed. */
const KILLED_MS = 2_000;
const STDERR_CHARACTERS = 2_000;

type Options = Pick<RunOptions, "cwd" | "env" | "stdin" | "outlives">;

/** Begins a program of the host. */
function begin(
  session: Session,
  program: string,
  args: readonly string[],
  { cwd = "/", env = {}, stdin, outlives }: Options,
): Channel {
  const command = [program, ...args];
  const variables = Object.entries(env).flat();
  const input = stdin === undefined ? "" : "1";
  const stays = outlives === true ? "1" : "";
  return session.open(["run", cwd, input, stays, command.length, ...command, ...variables]);
}

/** Runs a program of the host to its end; an abort has it killed, with all that it started. */
export async function runRemote(
  session: Session,
  program: string,
  args: readonly string[],
  options: RunOptions,
  signal: AbortSignal,
): Promise<CommandResult> {
  const channel = begin(session, program, args, options);
  const failure: { error?: unknown } = {};
  const fail = (error: unknown): void => {
    if (channel.isOver) return;
    failure.error ??= error;
    channel.cancel();
  };
  const cut = defer<never>();
  let timer: NodeJS.Timeout | undefined;
  using _waiting = onAbort(signal, () => {
    fail(signal.reason);
    // a host that does not answer is not waited for
    timer = setTimeout(() => cut.reject(signal.reason), KILLED_MS);
  });
  if (options.stdin !== undefined) feed(channel, options.stdin).catch(fail);
  const [stdout, stderr] = [
    take(channel.stdout, options.output?.stdout, () => fail(tooMuch(program))),
    take(channel.stderr, options.output?.stderr, () => fail(tooMuch(program))),
  ];
  try {
    const answer = await Promise.race([channel.answer, cut.promise]);
    const said = await Promise.all([stdout, stderr]);
    if (failure.error !== undefined) throw failure.error;
    return { exitCode: Number(answer[0]), stdout: said[0], stderr: said[1] };
  } catch (error) {
    if (failure.error !== undefined) throw failure.error;
    fail(error);
    throw error instanceof RemoteError ? spawnError(program, error) : error;
  } finally {
    clearTimeout(timer);
    stdout.catch(() => undefined);
    stderr.catch(() => undefined);
  }
}

/** One that ends without reading all of it is no failure: its status says why. */
async function feed(channel: Channel, source: AsyncIterable<Uint8Array>): Promise<void> {
  const bytes = source[Symbol.asyncIterator]();
  const ended = channel.answer.then(
    () => undefined,
    () => undefined,
  );
  for (;;) {
    const next = await Promise.race([bytes.next(), ended]);
    if (next === undefined || channel.isOver) {
      void bytes.return?.()?.catch(() => undefined);
      return;
    }
    if (next.done === true) return channel.end();
    await channel.write(next.value);
  }
}

/** Gives what comes to a sink, no faster than that takes it, or gathers it. */
async function take(
  bytes: AsyncIterable<Buffer>,
  sink: ByteSink | undefined,
  onOverflow: () => void,
): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of bytes) {
    length += part.length;
    if (sink !== undefined) await sink(part);
    else if (length <= OUTPUT_BYTES_MAX) parts.push(part);
    else onOverflow();
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Runs a program of the host and gives its lines; whoever leaves the loop has it killed. */
export async function* remoteLines(
  session: Session,
  command: readonly string[],
  { signal, env }: Pick<RunOptions, "signal" | "env">,
): AsyncGenerator<string, void, undefined> {
  const [program = "", ...args] = command;
  const channel = begin(session, program, args, env === undefined ? {} : { env });
  using _waiting = onAbort(signal, () => {
    channel.cancel();
    channel.fail(signal?.reason);
  });
  let stderr = "";
  const heard = (async () => {
    for await (const bytes of channel.stderr)
      stderr = (stderr + bytes.toString("utf8")).slice(-STDERR_CHARACTERS);
  })();
  heard.catch(() => undefined);
  try {
    await channel.started;
    yield* linesOf(channel.stdout, program);
    const [status] = await channel.answer;
    if (Number(status) !== 0) throw hasEnded(program, Number(status), stderr);
  } catch (error) {
    signal?.throwIfAborted();
    if (StowageError.is(error)) throw error;
    throw error instanceof RemoteError ? spawnError(program, error) : error;
  } finally {
    channel.cancel();
  }
}
