import { describe, expect, inject, test } from "vitest";
import type { RealEngine } from "./engine-provision.ts";
import { isRequiredEngine } from "./required-engines.ts";

/** What a suite gets: read it inside tests and hooks only, since there is none while tests are skipped. */
export interface ProvidedEngine {
  /** Absolute path of its socket, or of its program where it has none. */
  readonly address: string;
  /** Whether it is a double of ours in place of the engine itself. */
  readonly isDouble: boolean;
}

/**
 * `describe` for tests that need a real engine.
 *
 * Where it is missing they are skipped, with the reason in their title; where
 * `STOWAGE_REQUIRE_ENGINES` names it, they fail.
 */
export function describeWithEngine(
  kind: RealEngine,
  title: string,
  body: (engine: ProvidedEngine) => void,
): void {
  const provision = inject("engines")[kind];
  if (provision.status === "ready") {
    const { address, isDouble = false } = provision;
    describe(isDouble ? `${title} (on a double)` : title, () => body({ address, isDouble }));
    return;
  }
  const { reason } = provision;
  if (isRequiredEngine(kind)) {
    describe(title, () => {
      test(`${kind}, which this run requires, is there`, () => {
        expect.unreachable(`STOWAGE_REQUIRE_ENGINES names ${kind}, but ${reason}`);
      });
    });
    return;
  }
  describe.skip(`${title} (skipped: ${reason})`, () => {
    body({
      get address(): string {
        throw new Error(`There is no ${kind}: ${reason}`);
      },
      isDouble: false,
    });
  });
}
