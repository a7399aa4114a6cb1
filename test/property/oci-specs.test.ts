import type { ValidateFunction } from "ajv-draft-04";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { buildSpec, type SpecInput } from "../../src/engines/containerd/spec/build-spec.ts";
import {
  resourceUpdate,
  toOciResources,
} from "../../src/engines/containerd/spec/resource-limits.ts";
import { PodSpec, Resources } from "../../src/model/index.ts";
import { ociValidators, whyNoOciSchema } from "../set-up/oci-schema.ts";
import { arbitraryOf } from "../support/arbitrary-of.ts";

const skipped = whyNoOciSchema();
const id = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const number = fc.integer({ min: 0, max: 2 ** 20 });
const ALL_CAPABILITIES = ["CAP_CHOWN", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT"];

const devices = fc.array(
  fc.record({
    containerPath: fc.constantFrom("/dev/fuse", "/dev/sda"),
    type: fc.constantFrom<"c" | "b">("c", "b"),
    major: number,
    minor: number,
    fileMode: fc.integer({ min: 0, max: 0o777 }),
    uid: id,
    gid: id,
    permissions: fc.constantFrom("r", "rw", "rwm"),
  }),
  { maxLength: 2 },
);

/** A pod with volumes for all its mounts, and what its host, its image and its network may add. */
const inputs: fc.Arbitrary<SpecInput> = fc
  .record({
    pod: arbitraryOf(PodSpec) as fc.Arbitrary<PodSpec>,
    user: fc.record({ uid: id, gid: id, additionalGids: fc.array(id, { maxLength: 2 }) }),
    network: fc.constantFrom<SpecInput["network"]>("new", "host", { path: "/run/netns/x" }),
    architecture: fc.constantFrom("amd64", "arm", "arm64", "ppc64le", "riscv64", "s390x", "mips"),
    sharesFiles: fc.boolean(),
    devices,
  })
  .map(({ pod, ...rest }) => {
    const [container = "", spec] = Object.entries(pod.containers)[0] ?? [];
    const undeclared = (spec?.mounts ?? []).map(({ volume }) => [volume, { kind: "named" }]);
    const volumes = { ...Object.fromEntries(undeclared), ...pod.volumes };
    return {
      ...rest,
      podName: "shop",
      pod: { ...pod, volumes },
      container,
      image: { cmd: ["/bin/server"], env: ["PATH=/bin"], workingDir: "/srv", stopSignal: "SIGINT" },
      environment: { LOG: "info" },
      volumeDirs: Object.fromEntries(Object.keys(volumes).map((name) => [name, `/v/${name}`])),
      files: { "/etc/hosts": "/run/stowage/etc/hosts" },
      cgroupsPath: "/stowage/stw-shop",
      allCapabilities: ALL_CAPABILITIES,
    };
  });

describe.skipIf(skipped !== undefined)(
  `the OCI runtime specification's schema${skipped === undefined ? "" : ` (skipped: ${skipped})`}`,
  () => {
    let validate: ReturnType<typeof ociValidators>;
    beforeAll(() => {
      validate = ociValidators();
    });

    /** What is wrong with a value, as it goes over the wire: nothing. */
    const expectValid = (validator: ValidateFunction, value: unknown): void => {
      validator(JSON.parse(JSON.stringify(value)));
      expect(validator.errors ?? []).toEqual([]);
    };

    test("holds for the spec of any container of any pod", () => {
      fc.assert(
        fc.property(inputs, (input) => expectValid(validate.config, buildSpec(input))),
        { numRuns: 300 },
      );
    });

    test("holds for what a running container's limits are changed with", () => {
      const resources = arbitraryOf(Resources) as fc.Arbitrary<Resources>;
      const cpus = fc.constantFrom(undefined, "0-3");
      fc.assert(
        fc.property(resources, resources, cpus, (before, after, every) =>
          expectValid(
            validate.resources,
            resourceUpdate(toOciResources(before), toOciResources(after), every),
          ),
        ),
      );
    });

    test("refuses a name that it does not know, and a value of another kind", () => {
      expect(validate.config({ ociVersion: "1.0.2", proces: { cwd: "/" } })).toBe(false);
      expect(validate.process({ cwd: "/", args: "sh" })).toBe(false);
      expect(validate.resources({ memory: { limit: "1g" } })).toBe(false);
      expect(validate.process({ cwd: "/", args: ["sh"] })).toBe(true);
    });
  },
);
