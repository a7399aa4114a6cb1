import fc from "fast-check";
import {
  ContainerSpec as ContainerSchema,
  type ContainerSpec,
  type Drain,
  FleetManifest,
  MANIFEST_VERSION,
  PodSpec,
  type Volume,
  validateFleet,
} from "../../src/model/index.ts";
import { arbitraryOf } from "./arbitrary-of.ts";
import { SECRETS } from "./secrets.ts";
import { IMAGES } from "./simulated-hosts.ts";

const VOLUMES: Readonly<Record<string, Volume>> = {
  data: { kind: "named", name: "data" },
  cache: { kind: "named", name: "cache", mode: "0700" },
  scratch: { kind: "tmpfs", sizeBytes: 1024 },
};

const mounts = fc.uniqueArray(
  fc.record({
    volume: fc.constantFrom(...Object.keys(VOLUMES)),
    path: fc.constantFrom("/a", "/b", "/c"),
    readOnly: fc.boolean(),
  }),
  { maxLength: 2, selector: ({ path }) => path },
);

/** Files that lie in no mount; a secret among them is of {@link SECRETS}. */
const files = fc.dictionary(
  fc.constantFrom("/etc/app.conf", "/etc/app/more", "/run/secrets/token"),
  fc
    .tuple(
      fc.oneof(
        fc.record({ content: fc.constantFrom("", "a=1\n", "a=2\n", "x".repeat(3000)) }),
        fc.record({ base64: fc.constantFrom("AAH/", "//4=") }),
        fc.record({ secret: fc.record({ fromEnv: fc.constantFrom(...Object.keys(SECRETS)) }) }),
      ),
      fc.record(
        {
          uid: fc.constantFrom(0, 1000),
          gid: fc.constantFrom(0, 1000),
          mode: fc.constantFrom("0400", "0644"),
        },
        { requiredKeys: [] },
      ),
    )
    .map(([content, attributes]) => ({ ...content, ...attributes })),
  { maxKeys: 2 },
);

/** Any container that runs on a simulated host: what the host would have to have is left out. */
const container = fc
  .tuple(arbitraryOf(ContainerSchema), fc.constantFrom(...IMAGES), mounts, files)
  .map(([value, image, chosen, held]): ContainerSpec => {
    const { command, args, workingDir, devices, health, env, user, additionalGroups, ...more } =
      value as ContainerSpec;
    const { init, dependsOn, completeWithinMs, drain, ...rest } = more;
    const plain = Object.entries(env ?? {}).filter(([, each]) => typeof each === "string");
    return {
      ...consistent(rest),
      ...(drain === undefined ? {} : { drain: shortly(drain) }),
      image,
      env: Object.fromEntries(plain),
      mounts: chosen,
      files: held,
    };
  });

/** A drain that takes no time worth mentioning: waits are real, also on a simulated host. */
function shortly({ waitMs, ...drain }: Drain): Drain {
  return waitMs === undefined ? drain : { ...drain, waitMs: 1 + (waitMs % 3) };
}

/** Takes away what contradicts itself. */
function consistent(spec: Partial<ContainerSpec>): Partial<ContainerSpec> {
  const { memorySwapBytes, memoryReservationBytes, ...resources } = spec.resources ?? {};
  const { capabilitiesDrop, privileged, ...security } = spec.security ?? {};
  const ulimits = Object.entries(spec.ulimits ?? {}).map(([name, { soft, hard }]) => [
    name,
    { soft: Math.min(soft, hard), hard },
  ]);
  return { ...spec, resources, security, ulimits: Object.fromEntries(ulimits) };
}

/** With one that runs to its end before the others, and one that starts after another. */
function inOrder(
  containers: Readonly<Record<string, ContainerSpec>>,
  first: boolean,
  waits: boolean,
): Readonly<Record<string, ContainerSpec>> {
  const { main, side } = containers;
  const [image = ""] = IMAGES;
  return {
    ...containers,
    ...(waits && main !== undefined && side !== undefined
      ? { main: { ...main, dependsOn: { side: "started" } } }
      : {}),
    ...(first
      ? {
          first: {
            image,
            init: true,
            completeWithinMs: 60_000,
            command: ["/bin/sh", "-c", "echo done"],
          },
        }
      : {}),
  };
}

const pod = fc
  .record({
    containers: fc.dictionary(fc.constantFrom("main", "side"), container, {
      minKeys: 1,
      maxKeys: 2,
    }),
    first: fc.boolean(),
    waits: fc.boolean(),
    labels: fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("1", "2")),
    network: fc.constantFrom(
      { mode: "host" } as const,
      { mode: "none" } as const,
      { mode: "bridge", name: "front" } as const,
      { mode: "bridge", name: "back", subnet: "10.1.0.0/24" } as const,
    ),
    ports: fc.uniqueArray(fc.integer({ min: 80, max: 89 }), { maxLength: 2 }),
    replacement: fc.option(fc.constantFrom("stop-first", "start-first"), { nil: undefined }),
  })
  .map(({ ports, replacement, containers, first, waits, ...rest }) => {
    const isHost = rest.network.mode !== "none";
    return PodSpec.parse({
      ...rest,
      containers: inOrder(containers, first, waits),
      volumes: VOLUMES,
      ...(isHost ? { ports: ports.map((host) => ({ host })) } : {}),
      ...(replacement === undefined || isHost ? {} : { replacement }),
    });
  });

/** Any fleet of a few simulated hosts that is valid and can be applied. */
export const fleets: fc.Arbitrary<FleetManifest> = fc
  .dictionary(
    fc.constantFrom("h1", "h2"),
    fc.dictionary(fc.constantFrom("web", "db", "job"), pod),
    {
      minKeys: 1,
    },
  )
  .map((hosts) =>
    FleetManifest.parse({
      version: MANIFEST_VERSION,
      name: "shop",
      id: "owner-1",
      images: Object.fromEntries(IMAGES.map((reference) => [reference, { layout: "layout" }])),
      networks: { front: {}, back: { subnet: "10.1.0.0/24" } },
      hosts: Object.fromEntries(
        Object.entries(hosts).map(([name, pods]) => [
          name,
          { address: "local", engine: { kind: "sim" }, pods },
        ]),
      ),
    }),
  )
  .filter((manifest) => validateFleet(manifest).every(({ severity }) => severity !== "error"));
