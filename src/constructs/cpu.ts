import { isUnresolved } from "./cdk.ts";

/** An amount of CPU time. */
export class Cpu {
  readonly #millis: number;

  private constructor(amount: number, factor: number, unit: string) {
    if (isUnresolved(amount)) {
      throw new Error(`Cannot make an amount of CPU in ${unit}: only Terraform knows its value`);
    }
    // 0.29 cores are 290 thousandths, not 289.99999999999994
    const millis = Math.round(amount * factor * 1e6) / 1e6;
    if (!Number.isSafeInteger(millis) || millis < 0) {
      throw new Error(
        `Cannot make an amount of CPU of ${amount} ${unit}: it is not a whole number of thousandths`,
      );
    }
    this.#millis = millis;
  }

  /** CPUs: 1.5 is one and a half. */
  static cores(amount: number): Cpu {
    return new Cpu(amount, 1000, "cores");
  }

  /** Thousandths of one CPU. */
  static millis(amount: number): Cpu {
    return new Cpu(amount, 1, "thousandths");
  }

  toMillis(): number {
    return this.#millis;
  }
}
