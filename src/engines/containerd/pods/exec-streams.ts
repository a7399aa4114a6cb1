import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecStreams, TerminalSize } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Tasks } from "../../../gen/containerd/services/tasks/v1/tasks_pb.ts";
import { AfterLine, type Host } from "../../../host/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";

/** A command in a container, as its shim knows it. */
export interface ExecProcess {
  readonly id: string;
  readonly execId: string;
}

/**
 * Makes the pipes that a shim opens, and copies between them and this program. The pipe to the command is opened
 * both ways, so that it neither waits for the shim nor loses what comes before that; its copier ends with the
 * output. The first line of what it is given says that the command runs: where it does not come, as after the end
 * of who began it, nobody else removes what was made.
 */
const RELAY = `umask 077
d=$1
shift
mkdir -p -- "$d" && cd -- "$d" && mkfifo -- "$@" || exit 1
exec 3<&0 4<>in
cat 3<&- 4<&- <out & o=$!
e=
if [ -p err ]; then cat 3<&- 4<&- <err >&2 & e=$!; fi
echo ready
if ! read -r begun <&3; then
  kill $o $e 2>/dev/null
  cd /
  rm -rf -- "$d"
  exit 1
fi
cat <&3 >&4 2>/dev/null & i=$!
exec 3<&- 4<&-
wait $o $e
kill $i 2>/dev/null
exit 0`;
const BEGUN = Buffer.from("\n");

/** Time in which copiers end once their pipes are closed. */
const END_MS = 10_000;

/** The pipes of a command and what copies to and from them. */
export class ExecRelay {
  readonly #host: Host;
  readonly #dir: string;
  readonly #streams: ExecStreams;
  readonly #abort = new AbortController();
  readonly #state = new EventEmitter();
  #isBegun = false;
  #isOver = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(host: Host, dir: string, streams: ExecStreams) {
    this.#host = host;
    this.#dir = dir;
    this.#streams = streams;
  }

  /** How the shim gets them. */
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
    const { terminal, stdout, stderr } = this.#streams;
    const names = terminal === undefined ? ["in", "out", "err"] : ["in", "out"];
    const made = new EventEmitter();
    const isMade = once(made, "made").then(() => true);
    const output = new AfterLine(/^ready\n/, stdout, () => made.emit("made"));
    this.#running = this.#host.run(["sh", "-c", RELAY, "sh", this.#dir, ...names], {
      output: { stdout: (bytes) => output.put(bytes), stderr },
      signal: this.#abort.signal,
      stdin: this.#input(),
    });
    if (await Promise.race([isMade, this.#running.then(() => false)])) return;
    throw new StowageError(`Cannot make pipes in "${this.#dir}"; see that it can be written`, {
      code: "internal",
    });
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
    this.#isOver = true;
    this.#state.emit("begun");
    const ended = this.#running.catch(() => undefined);
    await Promise.race([ended, sleep(END_MS, undefined, { ref: false })]);
    this.#abort.abort();
    await this.#host.removeDirectory(this.#dir);
  }

  async *#input(): AsyncGenerator<Uint8Array> {
    if (!this.#isBegun && !this.#isOver) await once(this.#state, "begun");
    if (!this.#isBegun) return;
    yield BEGUN;
    const { stdin } = this.#streams;
    if (stdin === undefined) return;
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
