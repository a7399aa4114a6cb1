import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { describeEngine } from "./engine-suite.ts";
import { podmanFixture } from "./support/podman-fixture.ts";

describeWithEngine("podman", "podman", (podman) => {
  describeEngine(podmanFixture(() => podman.address));
});
