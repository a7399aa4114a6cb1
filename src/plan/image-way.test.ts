import { expect, test } from "vitest";
import type { CapabilityTable } from "../model/index.ts";
import { imageWay } from "./image-way.ts";

const info = {
  kind: "podman",
  version: "4.3.1",
  platform: { os: "linux", architecture: "amd64" },
} as const;
const image = { reference: "docker.io/library/app:1", digest: "sha256:a" };
const inRegistry = { kind: "resolved", image, available: true, ofRegistry: true } as const;
const onDisk = { kind: "resolved", image, available: true } as const;
const able: CapabilityTable = { pull: { support: "native" } };
const unable: CapabilityTable = {
  pull: [
    { support: "native", values: ["controller", "never"] },
    { support: "unsupported", reason: "it knows no registry", instead: "pull: controller" },
  ],
};
const address = "ssh://edge-a";

test.each([
  ["nothing declared: the host, else it is sent", {}, { by: "host", orSent: true }],
  ["host: the host, and nobody else", { pull: "host" }, { by: "host" }],
  ["controller: it is sent", { pull: "controller" }, { by: "controller" }],
] as const)("an image of a registry over ssh, %s", (_, spec, way) => {
  expect(imageWay({ address, ...spec }, { info, capabilities: able }, inRegistry)).toEqual(way);
});

test("never is refused, whatever could be done, and says what to do", () => {
  const way = imageWay({ address, pull: "never" }, { info, capabilities: able }, inRegistry);
  expect(way).toEqual({
    refused: "it has to be on the host already (pull: never), and it is not",
    instead: expect.stringContaining("stowage push"),
  });
});

test("what lies on this machine's disk is sent, as no registry has it", () => {
  const found = { info, capabilities: able };
  expect(imageWay({ address }, found, onDisk)).toEqual({ by: "controller" });
  expect(imageWay({ address, pull: "host" }, found, onDisk)).toEqual({ by: "controller" });
});

test("an engine that cannot pull is sent the bytes with a word, and refused where the host is to", () => {
  const found = { info, capabilities: unable };
  expect(imageWay({ address }, found, inRegistry)).toEqual({
    by: "controller",
    because: "podman 4.3.1 cannot get an image itself: it knows no registry",
  });
  expect(imageWay({ address, pull: "host" }, found, inRegistry)).toEqual({
    refused: "podman 4.3.1 cannot get an image itself: it knows no registry",
    instead: "pull: controller",
  });
  expect(imageWay({ address, pull: "controller" }, found, inRegistry)).toEqual({
    by: "controller",
  });
});

test("on this machine there is nobody else", () => {
  const found = { info, capabilities: able };
  expect(imageWay({ address: "local" }, found, inRegistry)).toEqual({});
  expect(imageWay({ address: "local", pull: "controller" }, found, inRegistry)).toEqual({});
});
