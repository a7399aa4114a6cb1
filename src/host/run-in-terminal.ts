import { StowageError } from "../errors/index.ts";
import { AfterLine } from "./byte-sinks.ts";
import type { ByteSink, Host, HostCallOptions } from "./host.ts";

/** Columns and rows of a terminal. */
interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** How to run a program of a host in a terminal. */
export interface TerminalRun extends HostCallOptions {
  readonly size: Size;
  /** Sizes that the terminal gets later. */
  readonly resizes?: AsyncIterable<Size>;
  /** What is typed. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly output: ByteSink;
  readonly env?: Readonly<Record<string, string>>;
}

/** What script(1) runs: the terminal gets its size and tells its name before the program is there. */
const WITHIN = `stty rows "$STW_ROWS" cols "$STW_COLUMNS"
printf 'stowage: terminal %s\\n' "$(tty)"
eval "exec $STW_COMMAND"`;

const TOLD = /stowage: terminal (\/dev\/[a-z0-9/]+)\r?\n/;

/**
 * Runs a program of the host in a terminal of the host's own, which script(1) of util-linux makes.
 *
 * @returns its exit code
 * @throws StowageError `not_found` when the host has no script(1)
 */
export async function runInTerminal(
  host: Host,
  command: readonly string[],
  options: TerminalRun,
): Promise<number> {
  const { size, resizes, stdin, output, env, signal } = options;
  const over = new AbortController();
  let early: Size | undefined;
  let name: string | undefined;
  const set = async ({ columns, rows }: Size): Promise<void> => {
    if (name === undefined) early = { columns, rows };
    else {
      const words = ["stty", "-F", name, "rows", String(rows), "cols", String(columns)];
      // one that has gone meanwhile has no size
      await host.run(words).catch(() => undefined);
    }
  };
  const after = new AfterLine(TOLD, output, ([, told]) => {
    name = told;
    if (early !== undefined) void set(early);
  });
  void follow(resizes, set, over.signal).catch(() => undefined);
  try {
    const { exitCode } = await host.run(
      [
        "script",
        "--quiet",
        "--return",
        "--flush",
        "--echo",
        "always",
        "--command",
        WITHIN,
        "/dev/null",
      ],
      {
        // a terminal's own end of input is what script(1) types when there is no more
        stdin: stdin ?? nothing(),
        output: { stdout: (bytes) => after.put(bytes), stderr: () => {} },
        env: {
          ...env,
          SHELL: "/bin/sh",
          TERM: "xterm",
          STW_ROWS: String(size.rows),
          STW_COLUMNS: String(size.columns),
          STW_COMMAND: command.map(quoted).join(" "),
        },
        ...(signal === undefined ? {} : { signal }),
      },
    );
    return exitCode;
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
    throw new StowageError(
      `Cannot make a terminal on host "${host.address}": it has no script(1); install util-linux (bsdutils), or leave -t out`,
      { code: "not_found", cause: error },
    );
  } finally {
    over.abort();
  }
}

async function follow(
  resizes: AsyncIterable<Size> | undefined,
  set: (size: Size) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for await (const size of resizes ?? []) {
    if (signal.aborted) return;
    await set(size);
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
