import { describe, expect, test } from "vitest";
import { parseFleet } from "./parse-fleet.ts";

const read = (pod: object, container: object) => () =>
  parseFleet(
    {
      version: "stowage/v1",
      name: "shop",
      id: "me",
      hosts: {
        a: {
          address: "local",
          engine: { kind: "sim" },
          pods: { web: { containers: { web: { image: "web:1", ...container } }, ...pod } },
        },
      },
    },
    "the manifest",
  );
const inFiles = (file: object) => ({ files: { "/etc/a": { content: "", ...file } } });
const probe = (more: object) => ({ health: { kind: "http", port: 80, ...more } });
const exec = (...command: readonly string[]) => ({ health: { kind: "exec", command } });
const named = (more: object) => ({ volumes: { v: { kind: "named", name: "v", ...more } } });
const limits = (resources: object) => ({ resources });

describe("values at their ends", () => {
  const week = 7 * 24 * 3600 * 1000;
  test.each<[string, object, object?]>([
    ["times of a week", { ...probe({ intervalMs: week, timeoutMs: week, startPeriodMs: week }) }],
    ["a grace of a week", { stopGracePeriodMs: week, completeWithinMs: week }],
    ["the last owner", inFiles({ uid: 4_294_967_294, gid: 4_294_967_294 })],
    ["the last owner of a volume", {}, named({ uid: 4_294_967_294 })],
    ["real-time signals", { stopSignal: "SIGRTMIN+30" }],
    ["real-time signals from the end", { stopSignal: "SIGRTMAX-30" }],
    ["a path with all that is sent as it is", probe({ path: "/a%20b?c=[d]&e=~!#f" })],
    ["as many processes as a kernel has", limits({ pidsMax: 4_194_304, cpuMillis: 8_192_000 })],
    [
      "parameters of namespaces",
      {},
      { sysctls: { "net.ipv4.conf.eth0.mtu": "1", "kernel.sem": "1 2 3 4" } },
    ],
  ])("takes %s", (_, container, pod = {}) => {
    expect(read(pod, container)).not.toThrow();
  });

  test.each<[string, object, object?]>([
    ["an interval that no timer can wait", probe({ intervalMs: 2 ** 31 })],
    ["a timeout that no timer can wait", probe({ timeoutMs: 2 ** 31 })],
    ["a start period that no timer can wait", probe({ startPeriodMs: 2 ** 31 })],
    ["a grace that no timer can wait", { stopGracePeriodMs: 2 ** 31 }],
    ["an end that no timer can wait for", { completeWithinMs: 2 ** 31 }],
    ["an owner that is nobody", inFiles({ uid: 4_294_967_295 })],
    ["a group that is nobody", inFiles({ gid: 4_294_967_295 })],
    ["an owner of a volume that is nobody", {}, named({ uid: 4_294_967_295 })],
    ["a group of a volume that is nobody", {}, named({ gid: 4_294_967_295 })],
    ["a signal that Linux has not", { stopSignal: "SIGFOO" }],
    ["a real-time signal that Linux has not", { stopSignal: "SIGRTMIN+31" }],
    ["an argument of a probe with a NUL", exec("true", "a\0b")],
    ["an argument of a drain with a NUL", { drain: { command: ["a\0b"] } }],
    ["a path to ask for with a space", probe({ path: "/a b" })],
    ["a path to ask for with a line break", probe({ path: "/a\r\nX: y" })],
    ["a path to ask for with other letters", probe({ path: "/ü" })],
    ["more processes than a kernel has", limits({ pidsMax: 4_194_305 })],
    ["more CPUs than a kernel knows", limits({ cpuMillis: 8_192_001 })],
    ["a parameter of the host", {}, { sysctls: { "vm.swappiness": "60" } }],
    ["the host name as a parameter", {}, { sysctls: { "kernel.hostname": "a" } }],
    ["a parameter that is a directory", {}, { sysctls: { "net..core": "1" } }],
    ["a parameter of no value", {}, { sysctls: { "net.core.somaxconn": "" } }],
  ])("refuses %s", (_, container, pod = {}) => {
    expect(read(pod, container)).toThrow(/must|at (?:most|least)/);
  });
});
