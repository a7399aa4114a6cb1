import { describe, test } from "vitest";
import { isRequiredEngine } from "../set-up/required-engines.ts";
import { describeEngine } from "./engine-suite.ts";
import { rktFixture } from "./support/rkt-fixture.ts";

/** An executable of rkt 1.30: the real one, or one that answers as it does. */
const program = process.env["STOWAGE_RKT"];

if (program !== undefined) describeEngine(rktFixture("rkt", program));
else
  describe("rkt", () => {
    const title = "needs an rkt: set STOWAGE_RKT to its executable";
    if (isRequiredEngine("rkt"))
      test(title, () => {
        throw new Error("STOWAGE_RKT is not set");
      });
    else test.skip(title);
  });
