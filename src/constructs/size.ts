import { isUnresolved } from "./cdk.ts";

/** An amount of memory or storage. */
export class Size {
  readonly #bytes: number;

  private constructor(amount: number, factor: number, unit: string) {
    if (isUnresolved(amount)) {
      throw new Error(`Cannot make a size in ${unit}: only Terraform knows its value`);
    }
    const bytes = amount * factor;
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new Error(`Cannot make a size of ${amount} ${unit}: it is not a whole number of bytes`);
    }
    this.#bytes = bytes;
  }

  static bytes(amount: number): Size {
    return new Size(amount, 1, "bytes");
  }

  /** Units of 1024 bytes. */
  static kibibytes(amount: number): Size {
    return new Size(amount, 1024, "KiB");
  }

  /** Units of 1024² bytes. */
  static mebibytes(amount: number): Size {
    return new Size(amount, 1024 ** 2, "MiB");
  }

  /** Units of 1024³ bytes. */
  static gibibytes(amount: number): Size {
    return new Size(amount, 1024 ** 3, "GiB");
  }

  toBytes(): number {
    return this.#bytes;
  }
}
