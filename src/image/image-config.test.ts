import { expect, test } from "vitest";
import { ConfigDocument } from "./documents.ts";
import { toImageConfig } from "./image-config.ts";

const BASE = { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } };
const configOf = (config: unknown) => toImageConfig(ConfigDocument.parse({ ...BASE, config }));

test("toImageConfig() takes everything that the config says", () => {
  expect(
    configOf({
      Env: ["A=1", "B=x=y", "EMPTY=", "NOT", "A=2"],
      Entrypoint: ["/bin/a"],
      Cmd: ["-v"],
      WorkingDir: "/srv",
      User: "app:extra",
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      StopSignal: "SIGQUIT",
      Volumes: { "/data": {} },
      Labels: { a: "b" },
      Healthcheck: { Test: ["NONE"] },
    }),
  ).toEqual({
    env: ["A=2", "B=x=y", "EMPTY="],
    entrypoint: ["/bin/a"],
    cmd: ["-v"],
    workingDir: "/srv",
    user: "app:extra",
    exposedPorts: ["53/udp", "80/tcp"],
    stopSignal: "SIGQUIT",
    volumes: ["/data"],
    labels: { a: "b" },
  });
});

test.each([
  [undefined],
  [null],
  [{}],
  [{ Env: null, Entrypoint: null, Cmd: null, ExposedPorts: null, Volumes: null, Labels: null }],
  [{ Env: [], Cmd: [], User: "", WorkingDir: "", StopSignal: "", ExposedPorts: {} }],
])("toImageConfig() says nothing for %j", (config) => {
  expect(configOf(config)).toEqual({});
});
