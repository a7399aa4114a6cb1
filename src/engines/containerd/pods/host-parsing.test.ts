import { describe, expect, test } from "vitest";
import { isMounted } from "./network-namespace.ts";
import { isShimOf } from "./shim-remnants.ts";

describe("isMounted()", () => {
  const table = [
    "29 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
    "88 29 0:4 net:[4026532208] /run/my\\040dir/netns/stw-a rw shared:9 - nsfs nsfs rw",
  ].join("\n");

  test("knows paths by the kernel's way of writing them", () => {
    expect(isMounted(table, "/run/my dir/netns/stw-a")).toBe(true);
    expect(isMounted(table, "/run/my dir/netns/stw-b")).toBe(false);
    expect(isMounted(undefined, "/")).toBe(false);
  });
});

describe("isShimOf()", () => {
  const shim = { namespace: "stowage", id: "stw-a", socketPath: "/run/c.sock" };
  const argv = [
    "/usr/bin/containerd-shim-runc-v2",
    "-namespace",
    "stowage",
    "-id",
    "stw-a",
    "-address",
    "/run/c.sock",
  ];

  test("knows a container's shim by namespace, id and daemon", () => {
    expect(isShimOf(argv, shim)).toBe(true);
    expect(isShimOf(argv, { ...shim, socketPath: "/var/run/c.sock" })).toBe(true);
  });

  test.each([
    ["of another container", { ...shim, id: "stw-ab" }],
    ["of another namespace", { ...shim, namespace: "other" }],
    ["of another daemon", { ...shim, socketPath: "/run/d.sock" }],
  ])("does not take one %s", (_, other) => expect(isShimOf(argv, other)).toBe(false));

  test("does not take another program with the same words", () => {
    expect(isShimOf(["/usr/bin/grep", ...argv.slice(1)], shim)).toBe(false);
  });
});
