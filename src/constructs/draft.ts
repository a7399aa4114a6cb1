import type { IConstruct } from "constructs";
import type { Diagnostic } from "../errors/index.ts";

/** A manifest in the making: which construct says what, and what went wrong on the way. */
export class Draft {
  readonly #owners = new Map<string, IConstruct>();
  readonly #found: Diagnostic[] = [];

  /**
   * Gives a place of the manifest to a construct; one that another has already is reported.
   *
   * @returns whether the construct may fill the place.
   */
  claim(path: string, construct: IConstruct, what: string): boolean {
    const owner = this.#owners.get(path);
    if (owner === undefined || owner === construct) {
      this.#owners.set(path, construct);
      return true;
    }
    this.report(
      path,
      `${what} is declared more than once (${owner.node.path}, ${construct.node.path})`,
      "give each a name of its own",
    );
    return false;
  }

  /** A mistake at a place of the manifest. */
  report(path: string, summary: string, detail: string): void {
    this.#found.push({ severity: "error", summary, detail, path });
  }

  /** What went wrong so far. */
  get found(): readonly Diagnostic[] {
    return [...this.#found];
  }

  /** The construct that a place belongs to, and the rest of the path below that construct's own. */
  locate(path: string): { readonly construct: IConstruct | undefined; readonly rest: string } {
    for (let end = path.length; end > 0; end = cut(path, end)) {
      const construct = this.#owners.get(path.slice(0, end));
      if (construct !== undefined) return { construct, rest: path.slice(end).replace(/^\./, "") };
    }
    return { construct: undefined, rest: path };
  }
}

function cut(path: string, end: number): number {
  return Math.max(path.lastIndexOf(".", end - 1), path.lastIndexOf("[", end - 1), 0);
}
