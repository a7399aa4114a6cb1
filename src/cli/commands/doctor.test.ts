import { describe, expect, test } from "vitest";
import { fakeCli, simManifest } from "../../../test/support/cli-context.ts";
import { StowageError } from "../../errors/index.ts";
import type { Check } from "../doctor/check.ts";
import { engineCheck } from "../doctor/engine-check.ts";
import { machineChecks } from "../doctor/machine-checks.ts";
import type { MachineFacts } from "../doctor/machine-facts.ts";

const READY: MachineFacts = {
  platform: "linux",
  kernel: "6.1.0-18-amd64",
  uid: 0,
  cgroups: { version: 2, controllers: ["cpu", "cpuset", "io", "memory", "pids"] },
  filesystems: ["nodev", "overlay", "ext4"],
  freeBytes: 10 * 1024 ** 3,
  programs: {
    runc: "/usr/sbin/runc",
    "containerd-shim-runc-v2": "/usr/bin/containerd-shim-runc-v2",
    ip: "/usr/sbin/ip",
    "iptables-restore": "/usr/sbin/iptables-restore",
    nsenter: "/usr/bin/nsenter",
  },
};

const checksOf = (over: Partial<MachineFacts>): readonly Check[] =>
  machineChecks({ ...READY, ...over }, "/var/lib/stowage", { kind: "containerd" });

describe("doctor", () => {
  test("a machine with everything is ready", () => {
    expect(checksOf({}).map(({ status }) => status)).toEqual(Array(10).fill("ok"));
  });

  test.each<[string, Partial<MachineFacts>, string, string]>([
    ["no root", { uid: 1000 }, "root", "fail"],
    ["an old kernel", { kernel: "4.19.0" }, "system", "warn"],
    ["no cgroups", { cgroups: { version: 0, controllers: [] } }, "cgroups", "fail"],
    [
      "a controller less",
      { cgroups: { version: 1, controllers: ["cpu", "cpuset", "pids"] } },
      "cgroups",
      "warn",
    ],
    ["no overlayfs", { filesystems: ["ext4"] }, "overlayfs", "warn"],
    ["little room", { freeBytes: 1024 ** 3 }, "disk", "warn"],
    ["no room", { freeBytes: 1024 ** 2 }, "disk", "fail"],
    ["no runc", { programs: {} }, "runc", "fail"],
    ["no iptables", { programs: {} }, "iptables-restore", "warn"],
  ])("%s is found and says what to do", (_title, over, name, status) => {
    const [found, ...more] = checksOf(over).filter((check) => check.name === name);
    expect(found).toMatchObject({ status });
    expect(found?.remedy).toMatch(/\w/);
    expect(more).toEqual([]);
  });

  test("macOS is no host, and nothing else is looked at", () => {
    const checks = checksOf({ platform: "darwin" });
    expect(checks).toHaveLength(1);
    expect(checks[0]).toMatchObject({ status: "fail", finding: "macOS cannot be a host" });
  });

  test("an engine that does not answer says so in its own words", async () => {
    const check = await engineCheck("containerd", async () => {
      throw new StowageError("Cannot reach containerd: nobody listens; start it", {
        code: "unavailable",
      });
    });
    expect(check).toEqual({
      name: "containerd",
      status: "fail",
      finding: "Cannot reach containerd: nobody listens",
      remedy: "start it",
    });
  });

  test.each([
    ["containerd", ["v2.1.0", "1.6.20~ds1"], ["1.5.9"]],
    ["podman", ["4.3.1", "5.8.6"], ["4.2.1", "3.4.4"]],
    ["rkt", ["1.30.0"], ["1.29.0", "1.3.0", "2.30.0"]],
  ] as const)("%s of an unknown version is a warning", async (kind, known, unknown) => {
    const statusOf = async (version: string) => {
      const platform = { os: "linux", architecture: "amd64" };
      return (await engineCheck(kind, async () => ({ kind, version, platform }))).status;
    };
    for (const version of known) expect(await statusOf(version)).toBe("ok");
    for (const version of unknown) expect(await statusOf(version)).toBe("warn");
  });

  test.each([
    ["podman", ["podman", "conmon", "catatonit", "ip", "iptables-restore", "nsenter"]],
    [
      "rkt",
      [
        ...["rkt", "setsid", "unshare", "nsenter", "setpriv", "prlimit", "mountpoint", "ip"],
        "iptables-restore",
      ],
    ],
  ] as const)(
    "each program that %s needs and is missing is told, and whether it is not root",
    (kind, programs) => {
      const facts = { ...READY, uid: 1000, programs: {} };
      const missing = machineChecks(facts, "/var/lib/stowage", { kind })
        .filter(({ status }) => status !== "ok")
        .map(({ name }) => name);
      expect(missing).toEqual(["root", ...programs]);
    },
  );

  test("an engine's program is looked for where it is declared", () => {
    const engine = { kind: "rkt", program: "/opt/rkt/rkt" } as const;
    const found = (programs: MachineFacts["programs"]) =>
      machineChecks({ ...READY, programs }, "/var/lib/stowage", engine).find(({ name }) =>
        name.includes("rkt"),
      );
    expect(found({ "/opt/rkt/rkt": "/opt/rkt/rkt" })).toMatchObject({ status: "ok" });
    expect(found({ rkt: "/usr/bin/rkt" })).toMatchObject({
      name: "/opt/rkt/rkt",
      status: "fail",
      remedy: "put it there, or declare another program",
    });
  });

  test("what is in no package of Debian's is not said to be", () => {
    const checks = machineChecks({ ...READY, programs: {} }, "/var/lib/stowage", { kind: "rkt" });
    const remedy = (program: string) => checks.find(({ name }) => name === program)?.remedy;
    expect(remedy("rkt")).toBe("install it (Debian has no package of it)");
    expect(remedy("setpriv")).toMatch(/ util-linux\)$/);
    expect(remedy("ip")).toMatch(/ iproute2\)$/);
  });

  test("a user's own podman needs no root", () => {
    const facts = { ...READY, uid: 1000, programs: {} };
    const [root] = machineChecks(facts, "/home/me/stowage", { kind: "podman" }).filter(
      ({ name }) => name === "root",
    );
    expect(root).toMatchObject({ status: "warn", finding: "running as user 1000" });
  });

  test("an engine and an address are looked at without a manifest, and refused with one", async () => {
    const cli = fakeCli();
    const wanted = ["--engine", `sim:${cli.directory}/machine.json`];
    const here = await cli.run("doctor", ...wanted, "--json");
    expect(JSON.parse(here.stdout)).toMatchObject({
      ready: true,
      hosts: [{ host: "this machine" }],
    });
    const far = await cli.run("doctor", "--host", "ssh://ops@far.invalid", "--engine", "podman");
    expect(far.exitCode).toBe(1);
    expect(far.stdout).toContain('no host is called "far.invalid"');
    cli.write("fleet.json", simManifest(cli.directory));
    const both = await cli.run("doctor", "-f", "fleet.json", ...wanted);
    expect(both.exitCode).toBe(1);
    expect(both.stderr).toContain("the manifest sets it for each host");
    const nothing = await cli.run("doctor", "--engine", "docker");
    expect(nothing.stderr).toContain('Cannot use --engine "docker"');
  });

  test("simulated hosts of a manifest are ready; an address that leads nowhere is not", async () => {
    const cli = fakeCli();
    const manifest = simManifest(cli.directory);
    cli.write("fleet.json", manifest);
    const ready = await cli.run("doctor", "-f", "fleet.json", "--json");
    expect(JSON.parse(ready.stdout)).toMatchObject({ ready: true });
    expect(ready.exitCode).toBe(0);
    const far = { address: "ssh://ops@far.invalid", engine: { kind: "containerd" } };
    cli.write("fleet.json", { ...manifest, hosts: { far } });
    const refused = await cli.run("doctor", "-f", "fleet.json");
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toContain('no host is called "far.invalid"');
    expect(refused.stdout).toContain("Not ready: 1 of 1 checks failed.");
  });
});
