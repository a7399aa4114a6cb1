/** A version of an engine that its tests are run on. */
export interface EngineVersion {
  /** Name in the table, and for `--only`. */
  readonly name: string;
  /** Program that says its version. */
  readonly program: string;
  /** Debian's suite that has it; absent: what is installed. */
  readonly suite?: string;
  /** Packages of that suite, beside those that they depend on. */
  readonly packages: readonly string[];
  /** Files of tests that have to do with what differs from version to version. */
  readonly tests: readonly string[];
}

const PODMAN = {
  program: "podman",
  tests: [
    "test/conformance/podman.test.ts",
    "test/integration/podman-pull.test.ts",
    "test/integration/registry.test.ts",
  ],
  // crun does not start containers on hosts that have both versions of cgroups
  packages: ["podman", "catatonit", "runc", "netavark"],
} as const;
const CONTAINERD = {
  program: "containerd",
  // from 2.0 on the daemon itself pulls images of hosts over ssh
  tests: [
    "test/conformance/containerd.test.ts",
    "test/integration/registry.test.ts",
    "test/integration/ssh-images.test.ts",
  ],
  packages: ["containerd", "runc"],
} as const;

/** In the order of the table. */
export const ENGINE_VERSIONS: readonly EngineVersion[] = [
  { name: "podman", ...PODMAN },
  { name: "podman-trixie", suite: "trixie", ...PODMAN },
  { name: "podman-sid", suite: "sid", ...PODMAN },
  { name: "containerd", ...CONTAINERD },
  { name: "containerd-trixie", suite: "trixie", ...CONTAINERD },
  { name: "containerd-sid", suite: "sid", ...CONTAINERD },
];
