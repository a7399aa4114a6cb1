import { spawn } from "node:child_process";
import { StowageError } from "../../../src/errors/index.ts";
import { EXAMPLE } from "./quickstart-folder.ts";

/** How a command that is shown is run. */
export interface ShownCommand {
  /** What the user sees after `$ `. */
  readonly shown: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Exit codes with which the story goes on; others end it. */
  readonly exitCodes: readonly number[];
}

/** Runs the commands of the story in the example's folder, each shown before what it prints. */
export class Stage {
  readonly #main: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #signal: AbortSignal;
  readonly #shown: string;
  readonly #folder: string;

  constructor(options: {
    /** The built command line. */
    readonly main: string;
    /** Added to this process's own environment. */
    readonly env: NodeJS.ProcessEnv;
    /** Aborted by Ctrl-C: the command that runs ends itself, and no other is begun. */
    readonly signal: AbortSignal;
    /** What stands before every command of `stowage` that is shown. */
    readonly shown?: string;
    /** Where they are run. @defaultValue the quickstart's example */
    readonly folder?: string;
  }) {
    this.#main = options.main;
    this.#env = options.env;
    this.#signal = options.signal;
    this.#shown = options.shown ?? "";
    this.#folder = options.folder ?? EXAMPLE;
  }

  /** The same stage with further variables, which are shown before each command. */
  with(env: Readonly<Record<string, string>>): Stage {
    return new Stage({
      main: this.#main,
      env: { ...this.#env, ...env },
      signal: this.#signal,
      folder: this.#folder,
      shown: Object.entries(env)
        .map(([name, value]) => `${name}=${value} `)
        .join(""),
    });
  }

  /** Says what comes next. */
  say(text: string): void {
    this.#signal.throwIfAborted();
    console.log(`\n# ${text}`);
  }

  /** Runs `stowage` with these words, and returns its exit code. */
  stowage(words: readonly string[], exitCodes: readonly number[] = [0]): Promise<number> {
    const shown = `${this.#shown}stowage ${words.join(" ")}`;
    return this.run({ shown, file: process.execPath, args: [this.#main, ...words], exitCodes });
  }

  /**
   * Shows and runs a command.
   *
   * @throws StowageError `failed_precondition` when it ends with an exit code that is not expected
   */
  async run({ shown, file, args, exitCodes }: ShownCommand): Promise<number> {
    this.#signal.throwIfAborted();
    console.log(`\n$ ${shown}`);
    const child = spawn(file, args, {
      cwd: this.#folder,
      env: { ...process.env, ...this.#env },
      stdio: ["ignore", "inherit", "inherit"],
    });
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode) => resolve(exitCode ?? 1));
    });
    this.#signal.throwIfAborted();
    if (exitCodes.includes(code)) return code;
    throw new StowageError(
      `Cannot go on with the story: "${shown}" ended with exit code ${code}; see what it said above`,
      { code: "failed_precondition" },
    );
  }
}
