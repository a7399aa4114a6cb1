import type { ByteSink, TerminalSize } from "../engine/index.ts";
import type { Connector } from "../reconcile/index.ts";
import type { Paint } from "./text/paint.ts";

/** What a command ends with: 0 done or nothing to do, 2 the hosts are not yet what is declared and nothing failed, 1 an error. */
export type ExitCode = 0 | 1 | 2;

/** Where text goes. */
export interface Output {
  write(text: string): void;
  /** Comes when what was written is on its way, so that a slow reader makes a fast writer wait. */
  ready(): Promise<void>;
  readonly isTerminal: boolean;
  /** Columns of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
}

/** Bytes in and out, for what is only passed on. */
export interface ByteStreams {
  /** What is to be read; from the first call on the program waits for it, until {@link close}. */
  stdin(): AsyncIterable<Uint8Array>;
  readonly stdout: ByteSink;
  readonly stderr: ByteSink;
  /** Whether somebody sits at it. */
  isTerminal(): boolean;
  /** Every key goes to whoever reads, Ctrl-C among them, until it is disposed of. */
  openTerminal(): Disposable & {
    readonly size: TerminalSize;
    readonly resizes: AsyncIterable<TerminalSize>;
  };
  /** Reads no more. */
  close(): void;
}

/** Everything of the outside world that a command touches beside files: tests give their own. */
export interface CommandContext {
  readonly stdout: Output;
  readonly stderr: Output;
  /** The same streams, and stdin, as bytes. */
  bytes(): Promise<ByteStreams>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory that relative paths start from; `-C` changes it. */
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  /** Path of the program that runs; a link to it, where it was called by one. */
  readonly program: string;
  /** Whether somebody is there to answer {@link CommandContext.confirm}. */
  isInteractive(): boolean;
  /** Colours for stdout. */
  readonly paint: Paint;
  /** Aborted by the first Ctrl-C: what is running is finished, nothing new is begun. */
  readonly drain: AbortSignal;
  /** Aborted by the second Ctrl-C. */
  readonly abort: AbortSignal;
  /** Has the program go on where nobody reads what it says; else it ends there. */
  goOnUnread(): void;
  /** `user@machine`, as records say who applied. */
  readonly appliedBy: string;
  /** The way to hosts and their engines. */
  readonly connector: Connector;
  now(): Date;
  /** Asks on the terminal; true only for `yes`. */
  confirm(question: string): Promise<boolean>;
}
