import { describe, expect, test } from "vitest";
import { DiagnosticsError } from "../errors/index.ts";
import { ENGINE_KINDS } from "./engine-config.ts";
import { parseFleet } from "./parse-fleet.ts";

const KINDS = ENGINE_KINDS.join(", ");

const fleet = { version: "stowage/v1", name: "shop", id: "me", hosts: {} };
const withHost = (host: object) => ({ ...fleet, hosts: { a: host } });
const host = { address: "local", engine: { kind: "sim" } };
const withContainer = (container: object) =>
  withHost({ ...host, pods: { web: { containers: { web: { image: "web:1", ...container } } } } });

function mistakes(json: unknown): readonly string[] {
  try {
    parseFleet(json, 'Manifest "fleet.json"');
  } catch (error) {
    expect(error).toBeInstanceOf(DiagnosticsError);
    return (error as Error).message.split("\n  ").slice(1);
  }
  return [];
}

describe("parseFleet()", () => {
  test("returns what is a manifest", () => {
    expect(parseFleet(withHost(host), "it")).toEqual(withHost(host));
  });

  test("names every mistake at once", () => {
    const text = mistakes({
      version: "stowage/v2",
      hosts: {
        a: { adress: "x", engine: { kind: "dokcer" } },
        B: { address: 3, engine: host.engine },
      },
    });
    expect(text).toEqual([
      'version: must be "stowage/v1"',
      "name: is missing; it must be a text",
      "id: is missing; it must be a text",
      "hosts.a.address: is missing; it must be a text",
      `hosts.a.engine.kind: must be one of ${KINDS}`,
      'hosts.a.adress: unknown field "adress"; did you mean "address"?',
      expect.stringContaining("hosts.B: its name must be lower-case"),
      "hosts.B.address: must be a text, not a number",
    ]);
  });

  const place = "hosts.a.pods.web.containers.web";
  test.each<[string, unknown, string]>([
    ["a list for an object", [], "(top level): must be an object, not a list"],
    ["null", null, "(top level): must be an object, not null"],
    [
      "a misspelt kind",
      withHost({ ...host, engine: { kind: "containred" } }),
      `hosts.a.engine.kind: must be one of ${KINDS}; did you mean "containerd"?`,
    ],
    [
      "no kind",
      withHost({ ...host, engine: {} }),
      `hosts.a.engine.kind: is missing; it must be one of ${KINDS}`,
    ],
    [
      "a field of a branch",
      withHost({ ...host, engine: { kind: "sim", latency: 1 } }),
      'hosts.a.engine.latency: unknown field "latency"; did you mean "latencyMs"?',
    ],
    [
      "a field that is like no other",
      withHost({ ...host, zzz: 1 }),
      'hosts.a.zzz: unknown field "zzz"; its fields are address, labels, engine, pull, pullBytesPerSecond, stateDir, runDir, pods',
    ],
    [
      "a fraction",
      withContainer({ oomScoreAdj: 1.5 }),
      `${place}.oomScoreAdj: must be a whole number, not 1.5`,
    ],
    [
      "too little",
      withContainer({ resources: { pidsMax: 0 } }),
      `${place}.resources.pidsMax: must be more than 0`,
    ],
    [
      "too much",
      withContainer({ oomScoreAdj: 1001 }),
      `${place}.oomScoreAdj: must be at most 1000`,
    ],
    [
      "more processes than a kernel has",
      withContainer({ resources: { pidsMax: 2 ** 22 + 1 } }),
      `${place}.resources.pidsMax: must be at most 4194304`,
    ],
    [
      "a range of CPUs that falls",
      withContainer({ resources: { cpuset: "0,3-1" } }),
      `${place}.resources.cpuset: a range must begin with its lower number`,
    ],
    [
      "an owner that chown takes for none",
      withContainer({ files: { "/a": { content: "", uid: 2 ** 32 - 1 } } }),
      `${place}.files["/a"].uid: must be at most 4294967294`,
    ],
    [
      "a user that no runtime takes",
      withContainer({ user: "0:2147483648" }),
      `${place}.user: a number must be at most 2147483647`,
    ],
    [
      "a group that no runtime takes",
      withContainer({ additionalGroups: ["2147483648"] }),
      `${place}.additionalGroups[0]: a number must be at most 2147483647`,
    ],
    [
      "an empty list",
      withContainer({ command: [] }),
      `${place}.command: must have at least 1 item`,
    ],
    [
      "a place in a list",
      withContainer({ mounts: [{ volume: "a", path: "/a" }, { volume: "b" }] }),
      `${place}.mounts[1].path: is missing; it must be a text`,
    ],
    [
      "a number in env",
      withContainer({ env: { A: 1 } }),
      `${place}.env.A: must be a text or an object, not a number`,
    ],
    [
      "a wrong secret",
      withContainer({ env: { A: { secret: { fromEnv: "a-b" } } } }),
      `${place}.env.A.secret.fromEnv: must be the name of an environment variable`,
    ],
    [
      "a misspelt secret",
      withContainer({ env: { A: { secret: { fromenv: "A", fromEnv: "A" } } } }),
      `${place}.env.A.secret.fromenv: unknown field "fromenv"; did you mean "fromEnv"?`,
    ],
    [
      "a misspelt limit",
      withContainer({ ulimits: { nofiles: { soft: 1, hard: 1 } } }),
      `${place}.ulimits.nofiles: unknown field "nofiles"; did you mean "nofile"?`,
    ],
    [
      "a name with dots",
      { ...fleet, images: { "A.b": { layout: "" } } },
      'images["A.b"].layout: must have at least 1 character',
    ],
  ])("says what is wrong with %s", (_, json, message) => {
    expect(mistakes(json)).toContain(message);
  });

  test("never repeats a value, which may be a secret", () => {
    const text = mistakes(withContainer({ env: { TOKEN: ["hunter2"], "A=hunter2": "" } })).join(
      "\n",
    );
    expect(text).toContain("env.TOKEN: must be a text or an object, not a list");
    expect(mistakes(withContainer({ user: "hunter 2" })).join()).not.toContain("hunter");
  });
});
