import { HOST_KINDS } from "../hosts/host-kinds.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { describeEngine } from "./engine-suite.ts";
import { podmanFixture } from "./support/podman-fixture.ts";

describeWithEngine("podman", "podman", (podman) => {
  describeEngine(podmanFixture(() => podman.address));
});

// another machine is sent its images in another way
describeWithEngine("podman", "podman over ssh", (podman) => {
  const program = () => podman.address;
  describeEngine({ ...podmanFixture(program, HOST_KINDS.ssh), name: "podman over ssh" }, [
    "images",
  ]);
});
