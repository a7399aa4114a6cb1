import type { Construct } from "constructs";
import type { SecretReference, SecretSource } from "../model/index.ts";
import { projectPath } from "./cdk.ts";

/**
 * A value that is written nowhere in clear: not in the manifest, a plan or a record. It is read on the
 * machine that applies, at that time.
 */
export class Secret {
  readonly #source: (construct: Construct) => SecretSource;

  private constructor(source: (construct: Construct) => SecretSource) {
    this.#source = source;
  }

  /** A secret that is read from an environment variable of whoever applies. */
  static fromEnv(variable: string): Secret {
    return new Secret(() => ({ fromEnv: variable }));
  }

  /**
   * A secret that is read from a file of the applying machine.
   *
   * @param path absolute, or relative to the project
   */
  static fromFile(path: string): Secret {
    const written = projectPath(path);
    return new Secret((construct) => ({ fromFile: written(construct) }));
  }

  /**
   * A secret that a program of the applying machine prints: `["pass", "show", "shop/db"]`.
   *
   * @param command the program, on PATH or by a path that may be relative to the project, and its
   * arguments; no shell runs it
   */
  static fromCommand(command: readonly string[]): Secret {
    const [program = "", ...args] = command;
    // one on PATH has no folder
    const written = program.includes("/") ? projectPath(program) : () => program;
    return new Secret((construct) => ({ fromCommand: [written(construct), ...args] }));
  }

  /** @internal */
  toReference(construct: Construct): SecretReference {
    return { secret: this.#source(construct) };
  }
}
