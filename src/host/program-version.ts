import type { Host, HostCallOptions } from "./host.ts";

/** How a program is asked for its version. */
export interface ProgramVersionOptions {
  /** As it is run: a name, or a path. */
  readonly program: string;
  /** File on the host that keeps what it said. */
  readonly file: string;
  /** Runs it. */
  readonly ask: (signal: AbortSignal | undefined) => Promise<string>;
}

interface Said {
  readonly text: string;
  /** What tells the program's file from any other; absent of a script, and of what is not there. */
  readonly program?: string;
  readonly isKept: boolean;
}

/**
 * What a program says of its version. To some that takes as long as what they are really asked; so it is kept on the host, with
 * what tells its file from any other, and holds as long as that is in its place. Looks at a host do not write: it is kept with the first change.
 */
export class ProgramVersion {
  readonly #host: Host;
  readonly #options: ProgramVersionOptions;
  #said: Promise<Said> | undefined;
  #keeping: Promise<void> | undefined;

  constructor(host: Host, options: ProgramVersionOptions) {
    this.#host = host;
    this.#options = options;
  }

  /**
   * Text that the program prints; it is run once at most.
   *
   * @param afresh it is run in any case: for whoever wants to know that it can be
   */
  async read({
    signal,
    afresh = false,
  }: HostCallOptions & { readonly afresh?: boolean } = {}): Promise<string> {
    if (afresh) this.#said = undefined;
    this.#said ??= this.#find(afresh, signal);
    const saying = this.#said;
    saying.catch(() => {
      if (this.#said === saying) this.#said = undefined;
    });
    return (await saying).text;
  }

  /** Keeps what was read, if anything was; where it cannot be kept, the program is asked again the next time. */
  async keep(): Promise<void> {
    if (this.#said !== undefined) this.#keeping ??= this.#write(this.#said).catch(() => undefined);
    await this.#keeping;
  }

  async #find(afresh: boolean, signal: AbortSignal | undefined): Promise<Said> {
    const { program, file, ask } = this.#options;
    // looked at before it is asked: one that comes into its place meanwhile is another one
    const { files, programs } = await this.#host.snapshot(
      { files: [file], programs: [program] },
      signal === undefined ? {} : { signal },
    );
    const stamp = programs.get(program);
    const kept = afresh || stamp === undefined ? undefined : saidBy(stamp, files.get(file));
    return {
      text: kept ?? (await ask(signal)),
      ...(stamp === undefined ? {} : { program: stamp }),
      isKept: kept !== undefined,
    };
  }

  async #write(saying: Promise<Said>): Promise<void> {
    const { program, text, isKept } = await saying;
    if (program === undefined || isKept) return;
    await this.#host.writeFile(this.#options.file, `${JSON.stringify({ program, said: text })}\n`);
  }
}

function saidBy(program: string, text: string | Error | undefined): string | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const kept = JSON.parse(text) as { program?: unknown; said?: unknown } | null;
    return kept?.program === program && typeof kept.said === "string" ? kept.said : undefined;
  } catch {
    return undefined;
  }
}
