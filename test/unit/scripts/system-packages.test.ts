import { expect, test } from "vitest";
import {
  ensureSystemPackages,
  OCI_SCHEMA,
  type SystemPackagesContext,
} from "../../../scripts/lib/system-packages.ts";

const ALL = [
  ...[
    "apt-get",
    "containerd",
    "ctr",
    "runc",
    "podman",
    "conmon",
    "catatonit",
    "busybox",
    "docker-registry",
    "/lib/systemd/systemd",
    "systemctl",
    "/usr/lib/cni/portmap",
    "ip",
    "iptables-restore",
    "ssh",
    "ssh-keygen",
    "sshd",
    "sudo",
    OCI_SCHEMA,
  ],
];
const SPECS = "golang-github-opencontainers-specs-dev";

/** A machine with some programs; installing a package brings those that are named after it. */
function machine(present: readonly string[], overrides: Partial<SystemPackagesContext> = {}) {
  const programs = new Set(present);
  const calls: (readonly string[])[] = [];
  const printed: string[] = [];
  const context: SystemPackagesContext = {
    has: (name) => programs.has(name),
    isRoot: true,
    isTerminal: false,
    print: (line) => void printed.push(line),
    ask: () => Promise.reject(new Error("asked without a terminal")),
    aptGet: async (args) => {
      calls.push(args);
      if (args[0] === "install") for (const name of ALL) programs.add(name);
      return 0;
    },
    hasPackageLists: () => true,
    ...overrides,
  };
  return { context, calls, printed };
}

test("where every program is there, nothing is run and nothing is said", async () => {
  const { context, calls, printed } = machine(ALL);
  expect(await ensureSystemPackages(context)).toEqual({ status: "present" });
  expect([calls, printed]).toEqual([[], []]);
});

test("only what is missing is installed, and nothing is removed for it", async () => {
  const { context, calls, printed } = machine(
    ALL.filter((name) => !["runc", "busybox"].includes(name)),
  );
  const packages = ["runc", "busybox-static"];
  expect(await ensureSystemPackages(context)).toEqual({ status: "installed", packages });
  expect(calls).toEqual([["install", "-y", "--no-remove", "--no-install-recommends", ...packages]]);
  expect(printed.join("\n")).toMatch(/runc .*\n.*busybox-static /);
});

test("without package lists they are fetched first", async () => {
  const { context, calls } = machine(["apt-get"], { hasPackageLists: () => false });
  await ensureSystemPackages(context);
  expect(calls.map(([verb]) => verb)).toEqual(["update", "install"]);
});

test("a failed installation is tried again with fresh lists, and then reported", async () => {
  const verbs: string[] = [];
  const { context } = machine(["apt-get"], {
    aptGet: async ([verb]) => {
      verbs.push(verb ?? "");
      return verb === "install" ? 100 : 0;
    },
  });
  const result = await ensureSystemPackages(context);
  expect(verbs).toEqual(["install", "update", "install"]);
  expect(result).toMatchObject({
    status: "missing",
    advice: expect.stringContaining("apt-get ended with 100"),
  });
});

test.each([
  ["n", "missing"],
  ["", "missing"],
  ["y", "installed"],
  ["Yes", "installed"],
])("on a terminal the answer %j leaves it %s", async (answer, status) => {
  const { context, calls } = machine(["apt-get"], {
    isTerminal: true,
    ask: () => Promise.resolve(answer),
  });
  expect(await ensureSystemPackages(context)).toMatchObject({ status });
  expect(calls).toHaveLength(status === "installed" ? 1 : 0);
});

test.each([
  ["root", { isRoot: false }, ["apt-get", "ip", "iptables-restore"]],
  ["apt", {}, ["ip", "iptables-restore"]],
])("without %s nothing is run, and the command to type is named", async (_, overrides, present) => {
  const { context, calls } = machine(present, overrides);
  expect(await ensureSystemPackages(context)).toMatchObject({
    status: "missing",
    packages: [
      ...[
        "containerd",
        "runc",
        "podman",
        "catatonit",
        "busybox-static",
        "docker-registry",
        "systemd",
        "openssh-client",
        "openssh-server",
        "sudo",
        "containernetworking-plugins",
      ],
      SPECS,
    ],
    advice: expect.stringContaining(
      `apt-get install --no-install-recommends containerd runc podman catatonit busybox-static docker-registry systemd openssh-client openssh-server sudo containernetworking-plugins ${SPECS}`,
    ),
  });
  expect(calls).toEqual([]);
});
