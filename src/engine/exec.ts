import type { CallOptions } from "./call-options.ts";

/** Columns and rows of a terminal. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Takes bytes as they come, in order: the next ones are held back until it is done with these. */
export type ByteSink = (bytes: Uint8Array) => Promise<void> | void;

/** What a command in a container reads, and where its output goes: byte for byte, as it comes. */
export interface ExecStreams {
  /** Given to the command, and its end as well; absent: nothing, which ends at once. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly stdout: ByteSink;
  /** Of a command with a terminal nothing comes here. */
  readonly stderr: ByteSink;
  /** It gets a terminal of its own, which makes signals of keys such as Ctrl-C. */
  readonly terminal?: {
    readonly size: TerminalSize;
    /** Its sizes from then on. */
    readonly resizes?: AsyncIterable<TerminalSize>;
  };
}

/** How to run a command in a container. */
export interface ExecOptions extends CallOptions {
  /** Time after which it is killed; absent: it has all the time that it takes. */
  readonly timeoutMs?: number;
  /** Absent: it reads nothing, and what it prints is dropped. */
  readonly streams?: ExecStreams;
}

/** What a command in a container came to. */
export interface ExecResult {
  readonly exitCode: number;
}
