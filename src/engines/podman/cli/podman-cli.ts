import type * as z from "zod";
import type { CallOptions } from "../../../engine/index.ts";
import { type ErrorCode, StowageError } from "../../../errors/index.ts";
import type { CommandResult, Host } from "../../../host/index.ts";
import { parseAnswer } from "./parse-answer.ts";
import { commandName, podmanError } from "./podman-error.ts";

/** Time after which a command that should take a second is given up. */
const COMMAND_MS = 120_000;

/** Gives a program its input by a pipe: what else standard input may be cannot be opened by its name. */
const PIPED = ["sh", "-c", 'cat | "$@"', "sh"];

/** What becomes of a command that gives no result, by the code of its error. */
const FAILURES: Readonly<Partial<Record<ErrorCode, string>>> = {
  deadline_exceeded: "did not answer in time; look for a hanging podman and stop it",
  resource_exhausted: "prints too much to read; run it on the host, and see what it prints",
};

/** How to run one command of podman. */
export interface PodmanCall extends CallOptions {
  /** What it is for, after "Cannot": `list containers`. */
  readonly doing: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Whether it opens its standard input by its name. */
  readonly opensStdin?: boolean;
  /** Added to podman's environment; it may hold secrets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Where podman is and what every command of it begins with. */
export interface PodmanCliOptions {
  readonly program: string;
  /** Global flags: the store, the runtime. */
  readonly globalArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * podman's command line. What it prints is read from stdout alone; stderr is where it warns, with any
 * exit code, and the reason where it fails.
 */
export class PodmanCli {
  readonly #host: Host;
  readonly #options: PodmanCliOptions;

  constructor(host: Host, options: PodmanCliOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** The whole command line, for a program that runs podman in its turn. */
  command(args: readonly string[]): readonly string[] {
    return [this.#options.program, ...this.#options.globalArgs, ...args];
  }

  get env(): Readonly<Record<string, string>> {
    return this.#options.env;
  }

  /** Runs a command, whatever becomes of it. */
  async run(args: readonly string[], call: PodmanCall): Promise<CommandResult> {
    const { signal, stdin, timeoutMs = COMMAND_MS } = call;
    const command = this.command(args);
    try {
      return await this.#host.run(call.opensStdin === true ? [...PIPED, ...command] : command, {
        env: { ...this.#options.env, ...call.env },
        timeoutMs,
        ...(signal === undefined ? {} : { signal }),
        ...(stdin === undefined ? {} : { stdin }),
      });
    } catch (error) {
      throw this.#explain(error, args, call);
    }
  }

  /** Runs a command that has to succeed. @returns its stdout */
  async read(args: readonly string[], call: PodmanCall): Promise<string> {
    const result = await this.run(args, call);
    if (result.exitCode !== 0) throw podmanError(call.doing, args, result);
    return result.stdout;
  }

  /** Runs a command that answers in JSON. */
  async json<T>(args: readonly string[], schema: z.ZodType<T>, call: PodmanCall): Promise<T> {
    const { doing } = call;
    return parseAnswer(await this.read(args, call), schema, { doing, from: quoted(args) });
  }

  /**
   * Runs a short command that changes something. An abort does not kill it, since what is left of a
   * podman that was killed in its middle is worse than a second of waiting.
   */
  async change(args: readonly string[], call: PodmanCall): Promise<string> {
    const { signal, ...rest } = call;
    signal?.throwIfAborted();
    const stdout = await this.read(args, rest);
    signal?.throwIfAborted();
    return stdout;
  }

  #explain(error: unknown, args: readonly string[], { doing, signal }: PodmanCall): unknown {
    signal?.throwIfAborted();
    if (!StowageError.is(error)) return error;
    if (error.code === "not_found") {
      return new StowageError(
        `Cannot ${doing}: there is no program "${this.#options.program}" on the host; install podman`,
        { code: "unavailable", cause: error },
      );
    }
    const state = FAILURES[error.code];
    if (state === undefined) return error;
    return new StowageError(`Cannot ${doing}: ${quoted(args)} ${state}`, {
      code: "unavailable",
      cause: error,
    });
  }
}

function quoted(args: readonly string[]): string {
  return `"${commandName(args)}"`;
}
