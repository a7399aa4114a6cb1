import { endProgramsCommand, PROGRAM_MARK } from "./end-programs.ts";
import type { CommandResult, Host, HostCallOptions, RunOptions } from "./host.ts";

/** Time that it takes to end programs, beyond that which they are given. */
const END_MS = 30_000;

/** The part of a host that marks its programs, over however they are run. */
export abstract class MarkingHost implements Pick<Host, "markPrograms" | "endPrograms" | "run"> {
  #mark: string | undefined;

  protected abstract runUnmarked(
    command: readonly string[],
    options: RunOptions,
  ): Promise<CommandResult>;

  markPrograms(mark: string | undefined): void {
    this.#mark = mark;
  }

  async endPrograms(
    mark: string,
    graceMs: number,
    options?: HostCallOptions,
  ): Promise<readonly string[]> {
    const { stdout } = await this.runUnmarked(endProgramsCommand(mark, graceMs), {
      ...options,
      timeoutMs: graceMs + END_MS,
    });
    return stdout.split("\n").filter(Boolean);
  }

  async run(command: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const mark = this.#mark;
    if (mark === undefined) return await this.runUnmarked(command, options);
    const env = { ...options.env, [PROGRAM_MARK]: mark };
    return await this.runUnmarked(command, { ...options, env });
  }
}
