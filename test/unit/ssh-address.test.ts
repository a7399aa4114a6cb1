import { expect, test } from "vitest";
import { parseSshAddress } from "../../src/host/ssh/ssh-address.ts";
import { sshArguments } from "../../src/host/ssh/ssh-arguments.ts";
import { HostSpec } from "../../src/model/index.ts";

const isDeclared = (address: string): boolean => HostSpec.shape.address.safeParse(address).success;

test.each([
  ["ssh://edge", { host: "edge" }],
  ["ssh://ops@edge.example.net:2222", { host: "edge.example.net", user: "ops", port: 2222 }],
  ["ssh://ops@[fd00::2]:22/", { host: "fd00::2", user: "ops", port: 22 }],
  ["ssh://ops@[fe80::2%eth0]", { host: "fe80::2%eth0", user: "ops" }],
  ["ssh://ops@[fe80::2%25eth0]", { host: "fe80::2%eth0", user: "ops" }],
  ["ssh://ann%40corp.example@edge", { host: "edge", user: "ann@corp.example" }],
  ["ssh://CORP%5Cann%3a%25@ed%67e", { host: "edge", user: "CORP\\ann:%" }],
])("%s is an address", (address, parts) => {
  expect(parseSshAddress(address)).toEqual(parts);
  expect(isDeclared(address)).toBe(true);
});

test.each([
  "ssh://ops:secret@edge",
  "ssh://-oProxyCommand=touch",
  "ssh://-l@edge",
  "ssh://%2Doption@edge",
  "ssh://%2doption",
  "ssh://ann%@edge",
  "ssh://ann%4@edge",
  "ssh://ann%00@edge",
  "ssh://ann%0a@edge",
  "ssh://ann%ff@edge",
  "ssh://edge:0022222",
  "ssh://edge/path",
  "ssh://a b",
  "ssh://",
  "http://edge",
])("%s is none", (address) => {
  expect(() => parseSshAddress(address)).toThrow(/not ssh:\/\/user@host:port/);
  expect(() => parseSshAddress(address)).not.toThrow(/secret/);
  expect(isDeclared(address)).toBe(false);
});

test("nothing of an address is taken for an option, and the user's configuration cannot change what a connection is", () => {
  const args = sshArguments({ host: "edge", user: "ops", port: 22 }, "command", "/etc/mine");
  expect(args.slice(-7)).toEqual(["-l", "ops", "-p", "22", "--", "edge", "command"]);
  expect(args.slice(0, 2)).toEqual(["-F", "/etc/mine"]);
  for (const option of ["StrictHostKeyChecking=yes", "BatchMode=yes", "ForwardAgent=no"])
    expect(args).toContain(option);
});
