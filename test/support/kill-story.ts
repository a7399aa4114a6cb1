import { expect } from "vitest";
import type { FleetManifest } from "../../src/model/index.ts";
import type { RealFleet } from "./real-fleet.ts";

/** Two declarations of one fleet, changed from one to the other and back, and what each leaves when nothing disturbs it. */
export class KillStory {
  readonly #fleet: RealFleet;
  readonly #sides: readonly FleetManifest[];
  readonly #files: readonly string[];
  readonly #expected: unknown[] = [];
  #at = 0;

  private constructor(
    fleet: RealFleet,
    sides: readonly [Readonly<Record<string, object>>, Readonly<Record<string, object>>],
    rest: object,
  ) {
    this.#fleet = fleet;
    this.#sides = sides.map((pods) => fleet.manifest(pods, rest));
    this.#files = this.#sides.map((side, index) => fleet.write(`side-${index}`, side));
  }

  /** Goes to both declarations undisturbed, twice: an engine makes things with its first use. It stands at the second one then. */
  static async open(
    fleet: RealFleet,
    sides: readonly [Readonly<Record<string, object>>, Readonly<Record<string, object>>],
    rest: object = {},
  ): Promise<KillStory> {
    const story = new KillStory(fleet, sides, rest);
    for (const side of [0, 1, 0, 1]) {
      story.#at = side;
      await story.#converge();
      story.#expected[side] = await fleet.traces();
    }
    return story;
  }

  /** Turns to the other declaration; @returns the file of its manifest, for a process that is to be killed. */
  turn(): string {
    this.#at = 1 - this.#at;
    return this.#files[this.#at] as string;
  }

  /** Applies what was turned to and expects all that an undisturbed apply leaves, and no more. */
  async expectMended(what: string): Promise<void> {
    await this.#converge();
    expect(await this.#fleet.traces(), what).toEqual(this.#expected[this.#at]);
  }

  async #converge(): Promise<void> {
    const side = this.#sides[this.#at] as FleetManifest;
    const report = await this.#fleet.apply(side);
    expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
    const { pods, hostChanges } = await this.#fleet.plan(side);
    expect({ pods, hostChanges }).toEqual({ pods: [], hostChanges: [] });
  }
}
