import { describe, expect, test } from "vitest";
import { listeningInode, stateOfMounts, topLevelString } from "./daemon-directories.ts";

describe("listeningInode()", () => {
  const table = [
    "Num       RefCount Protocol Flags    Type St Inode Path",
    "0000000000000000: 00000003 00000000 00000000 0001 03 111 /run/c.sock",
    "0000000000000000: 00000002 00000000 00010000 0001 01 222 /run/c.sock",
    "0000000000000000: 00000002 00000000 00010000 0001 01 333 /run/c.sock.ttrpc",
    "0000000000000000: 00000002 00000000 00000000 0002 01 444",
  ].join("\n");

  test("finds the socket that is listened on, not the connections to it", () => {
    expect(listeningInode(table, "/run/c.sock")).toBe(222);
  });

  test("says nothing of a socket that nobody listens on", () => {
    expect(listeningInode(table, "/run/other.sock")).toBeUndefined();
  });
});

describe("stateOfMounts()", () => {
  const below = "io.containerd.runtime.v2.task/stowage";
  const table = [
    `90 29 0:50 / /other/${below}/stw-x/rootfs rw - overlay overlay rw`,
    `91 29 0:51 / /run/mine/${below}/stw-a/rootfs rw - overlay overlay rw`,
  ].join("\n");

  test("goes by the daemon's own tasks, since others may have a namespace of the same name", () => {
    expect(stateOfMounts(table, new Set(["stw-a"]))).toBe("/run/mine");
    expect(stateOfMounts(table, new Set(["stw-b"]))).toBeUndefined();
  });
});

describe("topLevelString()", () => {
  const toml = [
    "version = 2",
    '  state = "/run/mine" # here',
    "root = '/var/mine'",
    "[plugins]",
    'oom = "x"',
    'state = "/no"',
  ].join("\n");

  test.each([
    ["state", "/run/mine"],
    ["root", "/var/mine"],
    ["oom", undefined],
    ["absent", undefined],
  ])("%s", (key, expected) => expect(topLevelString(toml, key)).toBe(expected));
});
