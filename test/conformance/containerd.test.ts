import { describeWithContainerd } from "../set-up/describe-with-containerd.ts";
import { describeEngine } from "./engine-suite.ts";
import { containerdFixture } from "./support/containerd-fixture.ts";

describeWithContainerd("containerd", (containerd) => {
  describeEngine(containerdFixture(() => containerd.address));
});
