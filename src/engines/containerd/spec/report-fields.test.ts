import { describe, expect, test } from "vitest";
import { attributesOf, ContainerSpec, PodSpec } from "../../../model/index.ts";
import { buildSpec } from "./build-spec.ts";
import { reportContainer, reportPod } from "./report-fields.ts";
import {
  notesIn,
  ownSpecBytes,
  parseOwnSpec,
  parseStoredSpec,
  type StoredSpec,
  specBytes,
  updateStoredSpec,
} from "./stored-spec.ts";

const FULL: ContainerSpec = {
  image: "localhost/web:1",
  command: ["/bin/sh", "-c"],
  args: ["exit 0"],
  env: { LOG: "info", "odd name": "x=y" },
  workingDir: "/srv",
  user: "12:34",
  mounts: [{ volume: "temp", path: "/tmp", readOnly: false }],
  readOnlyRootFilesystem: true,
  shmBytes: 1024,
  resources: { cpuMillis: 250, cpuShares: 100, cpuset: "0", memoryBytes: 8e6, pidsMax: 9 },
  ulimits: { nofile: { soft: 1, hard: 2 } },
  oomScoreAdj: 100,
  security: {
    capabilitiesAdd: ["CAP_NET_ADMIN"],
    capabilitiesDrop: ["CAP_KILL", "CAP_CHOWN"],
    seccomp: "default",
    noNewPrivileges: false,
    unmaskPaths: false,
  },
  logging: { mode: "file", maxBytes: 5000, maxFiles: 3 },
};

const POD: PodSpec = {
  containers: { web: FULL },
  volumes: { temp: { kind: "tmpfs" } },
  hostname: "told",
  sysctls: { "net.core.somaxconn": "5" },
  network: { mode: "none" },
};

function stored(pod: PodSpec): StoredSpec {
  const spec = buildSpec({
    podName: "shop",
    pod,
    container: "web",
    image: { cmd: ["/bin/server"], env: ["FROM_IMAGE=1"] },
    user: { uid: 12, gid: 34 },
    environment: { LOG: "info", "odd name": "x=y" },
    volumeDirs: {},
    files: {},
    network: "new",
    cgroupsPath: "/ns/id",
    devices: [],
    architecture: "amd64",
  });
  const parsed = parseStoredSpec(specBytes(spec));
  if (parsed === undefined) throw new Error("It is not a spec");
  return parsed;
}

function report(spec: StoredSpec): Readonly<Record<string, unknown>> {
  const notes = notesIn(spec);
  if (notes === undefined) throw new Error("It has no notes");
  return { ...reportContainer(spec, notes), ...reportPod(spec, notes) };
}

describe("reportContainer() and reportPod()", () => {
  test("every declared field comes back from the runtime spec as it was declared", () => {
    const { image: _, ...told } = FULL;
    const declared = new Map([
      ...attributesOf(ContainerSpec, told),
      ...attributesOf(PodSpec, { ...POD, containers: {}, volumes: undefined }),
    ]);
    const expected = Object.fromEntries([...declared].map(([path, { value }]) => [path, value]));
    expect(report(stored(POD))).toEqual(expected);
  });

  test("what was not declared is not reported", () => {
    expect(report(stored({ containers: { web: { image: "localhost/web:1" } } }))).toEqual({});
  });

  test("a user's name, a secret and ALL are not told, as they cannot be read back", () => {
    const web: ContainerSpec = {
      image: "localhost/web:1",
      user: "app",
      env: { TOKEN: { secret: { fromEnv: "X" } } },
      security: { capabilitiesDrop: ["ALL"] },
    };
    expect(report(stored({ containers: { web } }))).toEqual({});
  });

  test("a variable that somebody took out of the spec is told to be gone", () => {
    const spec = stored(POD);
    const env = spec.process.env.filter((entry) => !entry.startsWith("LOG="));
    expect(report({ ...spec, process: { ...spec.process, env } })["env.LOG"]).toBeNull();
  });
});

describe("updateStoredSpec()", () => {
  test("takes over what changes live or by a restart, and leaves the rest", () => {
    const spec = stored(POD);
    const { resources: _, ulimits: __, oomScoreAdj: ___, ...rest } = FULL;
    const pod = { ...POD, containers: { web: { ...rest, resources: { pidsMax: 3 } } } };
    const updated = updateStoredSpec(spec, pod, "web");
    expect(updated.linux.resources).toMatchObject({
      pids: { limit: 3 },
      devices: expect.any(Array),
    });
    expect(updated.linux.resources.memory).toBeUndefined();
    expect(updated.process.rlimits).toEqual([]);
    expect(updated.process.oomScoreAdj).toBeUndefined();
    expect(updated.process.env).toEqual(spec.process.env);
    expect(updated.linux.seccomp).toEqual(spec.linux.seccomp);
    expect(report(updated)["resources.pidsMax"]).toBe(3);
    expect(report(updated)).not.toHaveProperty("resources.memoryBytes");
  });

  test("with the same declaration it changes nothing", () => {
    expect(updateStoredSpec(stored(POD), POD, "web")).toEqual(stored(POD));
  });
});

describe("parseOwnSpec()", () => {
  test("reads what was written, but for the filter, of which it tells that it is there", () => {
    const spec = stored(POD);
    const { linux, ...rest } = spec;
    expect(parseOwnSpec(ownSpecBytes(spec))).toEqual({
      ...rest,
      linux: { ...linux, seccomp: true },
    });
  });

  test("is whole: what a spec leaves out was filled in when it was written", () => {
    const bare = { process: { user: { uid: 0, gid: 0 }, args: ["x"], cwd: "/" }, linux: {} };
    const bytes = ownSpecBytes(bare);
    expect(parseOwnSpec(bytes)).toEqual(parseStoredSpec(bytes));
    expect(parseOwnSpec(bytes).linux.namespaces).toEqual([]);
  });

  test("is not taken in by texts that look like a filter", () => {
    const env = { LOG: ',"seccomp":true}}' };
    const spec = stored({ ...POD, containers: { web: { ...FULL, env } } });
    const odd = { ...spec, process: { ...spec.process, env: [`LOG=${env.LOG}`] } };
    expect(parseOwnSpec(ownSpecBytes(odd)).process.env).toEqual([`LOG=${env.LOG}`]);
  });

  test("reads a spec without a filter", () => {
    const web: ContainerSpec = { ...FULL, security: { seccomp: "unconfined" } };
    const spec = stored({ ...POD, containers: { web } });
    expect(parseOwnSpec(ownSpecBytes(spec))).toEqual(spec);
  });
});

describe("parseStoredSpec()", () => {
  test.each(["", "{", "[]", '{"process":{}}'])("%j is no spec", (text) => {
    expect(parseStoredSpec(new TextEncoder().encode(text))).toBeUndefined();
  });
});
