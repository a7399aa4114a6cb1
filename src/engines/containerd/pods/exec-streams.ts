import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecStreams, TerminalSize } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Tasks } from "../../../gen/containerd/services/tasks/v1/tasks_pb.ts";
import type { Host } from "../../../host/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";

/** A command in a container, as its shim knows it. */
export interface ExecProcess {
  readonly id: string;
  readonly execId: string;
}

/**
 * Copies between the pipes that a shim opens and this program. The pipe to the command is opened both ways, so
 * that it neither waits for the shim nor loses what comes before that; its copier ends with the output.
 */
const RELAY = `cd -- "$1" || exit 1
exec 3<&0 4<>in
cat <&3 >&4 2>/dev/null & i=$!
exec 3<&- 4<&-
cat <out & o=$!
e=
if [ -p err ]; then cat <err >&2 & e=$!; fi
wait $o $e
kill $i 2>/dev/null
exit 0`;

/** Time in which copiers end once their pipes are closed. */
const END_MS = 10_000;
const PAUSE_MS = 50;

/** Lets go of copiers whose pipe nobody opened. */
const RELEASE =
  'cd -- "$1" 2>/dev/null || exit 0; for f in out err; do [ ! -p $f ] || : <>$f; done';

/** The pipes of a command and what copies to and from them. */
export class ExecRelay {
  readonly #host: Host;
  readonly #dir: string;
  readonly #streams: ExecStreams;
  readonly #abort = new AbortController();
  readonly #state = new EventEmitter();
  #isBegun = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(host: Host, dir: string, streams: ExecStreams) {
    this.#host = host;
    this.#dir = dir;
    this.#streams = streams;
  }

  /** What the shim is told of them. */
  get paths(): { readonly stdin: string; readonly stdout: string; readonly stderr: string } {
    const { stdin, terminal } = this.#streams;
    return {
      stdin: stdin === undefined ? "" : `${this.#dir}/in`,
      stdout: `${this.#dir}/out`,
      stderr: terminal === undefined ? `${this.#dir}/err` : "",
    };
  }

  /** Makes the pipes; nothing is read of stdin before {@link begun}. */
  async open(): Promise<void> {
    await this.#host.makeDirectory(this.#dir, { mode: 0o700 });
    const { terminal, stdin, stdout, stderr } = this.#streams;
    const names = terminal === undefined ? ["in", "out", "err"] : ["in", "out"];
    const made = await this.#host.run([
      "mkfifo",
      "-m",
      "600",
      ...names.map((name) => `${this.#dir}/${name}`),
    ]);
    if (made.exitCode !== 0) {
      throw new StowageError(
        `Cannot make pipes in "${this.#dir}": ${made.stderr.trim().slice(0, 300)}; see that it can be written`,
        { code: "internal" },
      );
    }
    const input = stdin === undefined ? undefined : this.#heldBack(stdin);
    this.#running = this.#host.run(["sh", "-c", RELAY, "sh", this.#dir], {
      output: { stdout, stderr },
      signal: this.#abort.signal,
      ...(input === undefined ? {} : { stdin: input }),
    });
    // of interest at the end
    this.#running.catch(() => undefined);
  }

  /** The command runs, and has its pipes open: their names are not needed any more. */
  async begun(client: ContainerdClient, process: ExecProcess): Promise<void> {
    await this.#host.removeDirectory(this.#dir);
    this.#isBegun = true;
    this.#state.once("copied", () => void closeInput(client, process));
    this.#state.emit("begun");
  }

  /** Comes when all output has been passed on; the command has ended. */
  async drained(): Promise<void> {
    await this.#running;
  }

  /** Lets go of everything, however far it came. */
  async end(): Promise<void> {
    this.#state.emit("begun");
    const deadline = performance.now() + END_MS;
    while (!(await this.#endsWithin(PAUSE_MS)) && performance.now() < deadline) {
      // a copier may not have come as far as its pipe yet
      if (!this.#isBegun) await this.#host.run(["sh", "-c", RELEASE, "sh", this.#dir]);
    }
    this.#abort.abort();
    await this.#host.removeDirectory(this.#dir);
  }

  async #endsWithin(ms: number): Promise<boolean> {
    const ended = this.#running.then(
      () => true,
      () => true,
    );
    return await Promise.race([ended, sleep(ms, false)]);
  }

  async *#heldBack(stdin: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    if (!this.#isBegun) await once(this.#state, "begun");
    if (!this.#isBegun) return;
    yield* stdin;
    // the copier holds the pipe open until it has passed on all of it
    this.#state.emit("copied");
  }
}

/** Gives a command's terminal its size, and each one that it gets. Ends with the signal. */
export async function keepSize(
  client: ContainerdClient,
  { id, execId }: ExecProcess,
  { size, resizes }: NonNullable<ExecStreams["terminal"]>,
  signal: AbortSignal,
): Promise<void> {
  const set = async ({ columns, rows }: TerminalSize): Promise<void> => {
    try {
      await client.unary(
        Tasks.method.resizePty,
        { containerId: id, execId, width: columns, height: rows },
        { doing: "set the size of a terminal", signal },
      );
    } catch (error) {
      // it ended meanwhile
      if (!StowageError.is(error) && !signal.aborted) throw error;
    }
  };
  await set(size);
  for await (const next of resizes ?? []) {
    if (signal.aborted) return;
    await set(next);
  }
}

async function closeInput(client: ContainerdClient, { id, execId }: ExecProcess): Promise<void> {
  try {
    await client.unary(
      Tasks.method.closeIO,
      { containerId: id, execId, stdin: true },
      { doing: "end the input of a command" },
    );
  } catch (error) {
    // it ended first
    if (!StowageError.is(error)) throw error;
  }
}
