import { isUnresolved } from "./cdk.ts";

/** A length of time. */
export class Duration {
  readonly #ms: number;

  private constructor(amount: number, factor: number, unit: string) {
    if (isUnresolved(amount)) {
      throw new Error(`Cannot make a duration in ${unit}: only Terraform knows its value`);
    }
    const ms = amount * factor;
    if (!Number.isSafeInteger(ms) || ms < 0) {
      throw new Error(
        `Cannot make a duration of ${amount} ${unit}: it is not a whole number of milliseconds`,
      );
    }
    this.#ms = ms;
  }

  static milliseconds(amount: number): Duration {
    return new Duration(amount, 1, "milliseconds");
  }

  static seconds(amount: number): Duration {
    return new Duration(amount, 1000, "seconds");
  }

  static minutes(amount: number): Duration {
    return new Duration(amount, 60_000, "minutes");
  }

  toMilliseconds(): number {
    return this.#ms;
  }
}
