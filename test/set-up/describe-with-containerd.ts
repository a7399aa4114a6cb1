import { describe, expect, inject, test } from "vitest";
import "./containerd-provision.ts";
import { isRequiredEngine } from "./required-engines.ts";

/** What a suite gets: read it inside tests and hooks only, since there is none while tests are skipped. */
export interface ContainerdUnderTest {
  /** Absolute path of the gRPC socket. */
  readonly address: string;
}

/**
 * `describe` for tests that need a real containerd.
 *
 * Where it is missing they are skipped, with the reason in their title; where
 * `STOWAGE_REQUIRE_ENGINES` names it, they fail.
 */
export function describeWithContainerd(
  title: string,
  body: (containerd: ContainerdUnderTest) => void,
): void {
  const provision = inject("containerd");
  if (provision.status === "ready") {
    describe(title, () => body({ address: provision.address }));
    return;
  }
  const { reason } = provision;
  if (isRequiredEngine("containerd")) {
    describe(title, () => {
      test("containerd, which this run requires, is there", () => {
        expect.unreachable(`STOWAGE_REQUIRE_ENGINES names containerd, but ${reason}`);
      });
    });
    return;
  }
  describe.skip(`${title} (skipped: ${reason})`, () => {
    body({
      get address(): string {
        throw new Error(`There is no containerd: ${reason}`);
      },
    });
  });
}
