import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { describeEngine } from "./engine-suite.ts";
import { rktFixture } from "./support/rkt-fixture.ts";

describeWithEngine("rkt", "rkt", (rkt) => {
  describeEngine(rktFixture(() => rkt.address));
});
