import { describe, expect, inject, test } from "vitest";
import { isRequiredEngine } from "./required-engines.ts";
import "./rkt-provision.ts";

/** What a suite gets: read it inside tests and hooks only, since there is none while tests are skipped. */
export interface RktUnderTest {
  /** Absolute path of the program. */
  readonly program: string;
  /** Whether it is the double, and not rkt itself. */
  readonly isDouble: boolean;
}

/**
 * `describe` for tests that need rkt: the one that `STOWAGE_RKT` names, else the double.
 *
 * Where neither can run they are skipped, with the reason in their title; where
 * `STOWAGE_REQUIRE_ENGINES` names rkt, they fail.
 */
export function describeWithRkt(title: string, body: (rkt: RktUnderTest) => void): void {
  const provision = inject("rkt");
  if (provision.status === "ready") {
    const { program, isDouble } = provision;
    describe(`${title} (${isDouble ? "double" : "real"})`, () => body({ program, isDouble }));
    return;
  }
  const { reason } = provision;
  if (isRequiredEngine("rkt")) {
    describe(title, () => {
      test("rkt, which this run requires, is there", () => {
        expect.unreachable(`STOWAGE_REQUIRE_ENGINES names rkt, but ${reason}`);
      });
    });
    return;
  }
  const none = (): never => {
    throw new Error(`There is no rkt: ${reason}`);
  };
  describe.skip(`${title} (skipped: ${reason})`, () => {
    body({
      get program(): string {
        return none();
      },
      isDouble: true,
    });
  });
}
