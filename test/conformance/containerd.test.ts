import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { describeEngine } from "./engine-suite.ts";
import { containerdFixture } from "./support/containerd-fixture.ts";

describeWithEngine("containerd", "containerd", (containerd) => {
  describeEngine(containerdFixture(() => containerd.address));
});
