import { describe, expect, test } from "vitest";
import type { ContainerSpec, PodSpec } from "../../../model/index.ts";
import { buildSpec, type SpecInput } from "./build-spec.ts";
import type { OciMount, OciSpec } from "./oci-spec.ts";

const IMAGE = "localhost/web:1";

function build(
  container: Partial<ContainerSpec> = {},
  pod: Partial<PodSpec> = {},
  more: Partial<SpecInput> = {},
): OciSpec {
  return buildSpec({
    podName: "shop",
    pod: { ...pod, containers: { web: { image: IMAGE, ...container } } },
    container: "web",
    image: { cmd: ["/bin/server"], env: ["PATH=/bin", "LANG=C"] },
    user: { uid: 0, gid: 0 },
    environment: {},
    volumeDirs: { data: "/var/lib/stowage/o/f/.volumes/data" },
    files: { "/etc/hosts": "/run/stowage/etc/hosts" },
    network: "new",
    cgroupsPath: "/stowage/stw-shop",
    devices: [],
    architecture: "amd64",
    ...more,
  });
}

function mountAt(spec: OciSpec, destination: string): OciMount | undefined {
  return spec.mounts.find((mount) => mount.destination === destination);
}

describe("buildSpec()", () => {
  test("gives the field's security defaults when nothing is said", () => {
    const { process, linux, root } = build();
    expect(process.capabilities.bounding).toHaveLength(14);
    expect(process.capabilities.effective).toEqual(process.capabilities.bounding);
    expect(process.noNewPrivileges).toBe(true);
    expect(linux.seccomp?.defaultAction).toBe("SCMP_ACT_ERRNO");
    expect(linux.maskedPaths).toContain("/proc/kcore");
    expect(linux.readonlyPaths).toContain("/proc/sys");
    expect(linux.resources.devices[0]).toEqual({ allow: false, access: "rwm" });
    expect(root.readonly).toBe(false);
    expect(linux.namespaces.map(({ type }) => type).sort()).toEqual([
      "cgroup",
      "ipc",
      "mount",
      "network",
      "pid",
      "uts",
    ]);
  });

  test("a user that is not root holds no capability, and may get those of the set", () => {
    const { capabilities } = build({}, {}, { user: { uid: 5, gid: 5 } }).process;
    expect(capabilities.effective).toEqual([]);
    expect(capabilities.permitted).toEqual([]);
    expect(capabilities.bounding).toHaveLength(14);
  });

  test("a privileged container has every capability, all devices, no masks and no filter", () => {
    const all = ["CAP_SYS_ADMIN", "CAP_CHOWN"];
    const spec = build({ security: { privileged: true } }, {}, { allCapabilities: all });
    expect(spec.process.capabilities.bounding).toEqual([...all].sort());
    expect(spec.linux.resources.devices).toEqual([{ allow: true, access: "rwm" }]);
    expect(spec.linux.seccomp).toBeUndefined();
    expect(spec.linux.maskedPaths).toBeUndefined();
    expect(mountAt(spec, "/dev")?.source).toBe("/dev");
    expect(mountAt(spec, "/sys")?.options).toContain("rw");
  });

  test.each([
    ["seccomp", { seccomp: "unconfined" as const }, (spec: OciSpec) => spec.linux.seccomp],
    ["masks", { unmaskPaths: true }, (spec: OciSpec) => spec.linux.maskedPaths],
    ["read-only paths", { unmaskPaths: true }, (spec: OciSpec) => spec.linux.readonlyPaths],
  ])("%s can be taken away alone", (_, security, read) => {
    expect(read(build())).toBeDefined();
    expect(read(build({ security }))).toBeUndefined();
    expect(build({ security }).process.noNewPrivileges).toBe(true);
  });

  test("limits of the process are passed on as declared, and inherited where none is", () => {
    expect(build().process.rlimits).toBeUndefined();
    const ulimits = { nofile: { soft: 1, hard: 2 }, core: { soft: 0, hard: 0 } };
    expect(build({ ulimits }).process.rlimits).toEqual([
      { type: "RLIMIT_CORE", soft: 0, hard: 0 },
      { type: "RLIMIT_NOFILE", soft: 1, hard: 2 },
    ]);
  });

  test("users are numbers only", () => {
    const user = { uid: 7, gid: 8, additionalGids: [9] };
    expect(build({ user: "app" }, {}, { user }).process.user).toEqual(user);
  });

  test("the directory is the declared one, else the image's, else the root", () => {
    expect(build().process.cwd).toBe("/");
    expect(build({}, {}, { image: { cmd: ["x"], workingDir: "/srv" } }).process.cwd).toBe("/srv");
    expect(build({ workingDir: "/tmp" }).process.cwd).toBe("/tmp");
  });

  test("the host's network has no namespace, a pod's has its path", () => {
    const network = (spec: OciSpec) => spec.linux.namespaces.find(({ type }) => type === "network");
    expect(network(build())).toEqual({ type: "network" });
    expect(network(build({}, {}, { network: "host" }))).toBeUndefined();
    expect(network(build({}, {}, { network: { path: "/n" } }))).toEqual({
      type: "network",
      path: "/n",
    });
  });

  test("each kind of volume is mounted, read-only where that is declared, outer paths first", () => {
    const volumes = {
      data: { kind: "named", name: "data" },
      conf: { kind: "bind", path: "/etc/app" },
      temp: { kind: "tmpfs", sizeBytes: 4096, mode: "0700" },
    } as const;
    const mounts = [
      { volume: "temp", path: "/data/tmp" },
      { volume: "conf", path: "/conf", readOnly: true },
      { volume: "data", path: "/data" },
    ];
    const spec = build({ mounts }, { volumes });
    expect(spec.mounts.slice(-3).map(({ destination }) => destination)).toEqual([
      "/conf",
      "/data",
      "/data/tmp",
    ]);
    expect(mountAt(spec, "/data")?.source).toBe("/var/lib/stowage/o/f/.volumes/data");
    expect(mountAt(spec, "/conf")).toMatchObject({ source: "/etc/app", type: "bind" });
    expect(mountAt(spec, "/conf")?.options).toContain("ro");
    expect(mountAt(spec, "/data/tmp")?.options).toEqual(
      expect.arrayContaining(["size=4096", "mode=0700", "rw"]),
    );
  });

  test("a mount takes the place of what would be there", () => {
    const volumes = { hosts: { kind: "bind", path: "/my/hosts" } } as const;
    const spec = build({ mounts: [{ volume: "hosts", path: "/etc/hosts" }] }, { volumes });
    expect(spec.mounts.filter(({ destination }) => destination === "/etc/hosts")).toHaveLength(1);
    expect(mountAt(spec, "/etc/hosts")?.source).toBe("/my/hosts");
  });

  test("a mount of a volume that is not there is invalid_argument", () => {
    const mounts = [{ volume: "none", path: "/x" }];
    expect(() => build({ mounts })).toThrow(/Cannot mount volume "none"/);
  });

  test("a declared device gets its node and its rule, after the one that denies all", () => {
    const device = {
      containerPath: "/dev/fuse",
      type: "c",
      major: 10,
      minor: 229,
      fileMode: 0o666,
      uid: 0,
      gid: 0,
      permissions: "rw",
    } as const;
    const { linux } = build({}, {}, { devices: [device] });
    expect(linux.devices).toEqual([
      { path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 },
    ]);
    expect(linux.resources.devices.at(-1)).toEqual({
      allow: true,
      type: "c",
      major: 10,
      minor: 229,
      access: "rw",
    });
  });

  test("the host name is the declared one, else the pod's", () => {
    expect(build().hostname).toBe("shop");
    expect(build({}, { hostname: "told" }).hostname).toBe("told");
  });

  test("it stays small, as every list of containers carries it", () => {
    expect(JSON.stringify(build()).length).toBeLessThan(11_000);
  });

  test("no secret is among what is noted, only its value in the environment", () => {
    const env = { TOKEN: { secret: { fromEnv: "X" } }, PLAIN: "p" };
    const spec = build({ env }, {}, { environment: { TOKEN: "hunter2", PLAIN: "p" } });
    expect(spec.process.env).toContain("TOKEN=hunter2");
    expect(JSON.stringify(spec.annotations)).not.toMatch(/hunter2|TOKEN/);
  });
});
