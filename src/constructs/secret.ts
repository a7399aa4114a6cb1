import type { SecretReference } from "../model/index.ts";

/** A value that is written nowhere in clear: not in the manifest, a plan or a record. */
export class Secret {
  readonly #variable: string;

  private constructor(variable: string) {
    this.#variable = variable;
  }

  /** A secret that is read from an environment variable of whoever applies, at that time. */
  static fromEnv(variable: string): Secret {
    return new Secret(variable);
  }

  /** @internal */
  toReference(): SecretReference {
    return { secret: { fromEnv: this.#variable } };
  }
}
