import { describe, expect, test } from "vitest";
import type { ContainerSpec, PodIdentity, PodSpec } from "../../../model/index.ts";
import { buildManifest } from "./build-manifest.ts";
import { manifestIdentity, parseManifest } from "./pod-file.ts";

const IDENTITY: PodIdentity = { owner: "me", fleet: "shop", host: "a", pod: "web", generation: 3 };
const IMAGE_ID = `sha512-${"9d".repeat(32)}`;

function build(
  flavor: "fly" | "host",
  spec: Partial<ContainerSpec> = {},
  args = ["/bin/x"],
  ports: PodSpec["ports"] = [],
) {
  return buildManifest({
    scope: "stw-rkt-0",
    identity: IDENTITY,
    pod: { containers: { main: { image: "localhost/x:1", ...spec } }, ports },
    container: "main",
    flavor,
    imageId: IMAGE_ID,
    imageEnv: ["PATH=/bin", "BOTH=image"],
    imageWorkingDir: "",
    process: { args, commandWords: 1 },
    user: { uid: 7, gid: 8, additionalGids: [9] },
    environment: (spec.env ?? {}) as Readonly<Record<string, string>>,
    files: {},
    sources: { data: "/srv/data", more: "/srv/more" },
  });
}

interface Built {
  readonly apps: readonly {
    readonly name: string;
    readonly image: { readonly id: string };
    readonly app: {
      readonly exec: readonly string[];
      readonly isolators?: readonly { readonly name: string }[];
      readonly environment: readonly { readonly name: string; readonly value: string }[];
    };
    readonly mounts: readonly unknown[];
  }[];
  readonly volumes: readonly unknown[];
  readonly ports: readonly unknown[];
}
const built = (text: string): Built => JSON.parse(text) as Built;

describe("buildManifest()", () => {
  test("has one app: the end of one of several would be the end of all", () => {
    expect(built(build("fly")).apps).toHaveLength(1);
    expect(built(build("host")).apps).toHaveLength(1);
  });

  test("says whose it is at its top, the only place that labels a pod", () => {
    const labels = (JSON.parse(build("fly")) as { userLabels: unknown }).userLabels;
    expect(labels).toMatchObject({ "io.stowage.pod": "web", "io.stowage.generation": "3" });
    expect(manifestIdentity(parseManifest(build("fly")))).toEqual({
      identity: IDENTITY,
      container: "main",
    });
  });

  test("names the image by its whole id, and has an app of its own in place of the image's", () => {
    const [app] = built(build("fly")).apps;
    expect(app?.image.id).toBe(IMAGE_ID);
    expect(app?.app).toMatchObject({ user: "7", group: "8", workingDirectory: "/" });
  });

  test("a percent sign is doubled for the host flavour, whose systemd expands it, and not for fly", () => {
    const args = ["/bin/date", "+%H:%M", "$HOME"];
    expect(built(build("host", {}, args)).apps[0]?.app.exec).toEqual([
      "/bin/date",
      "+%%H:%%M",
      "$HOME",
    ]);
    expect(built(build("fly", {}, args)).apps[0]?.app.exec).toEqual(args);
  });

  test("a line break in the environment is refused for the host flavour, which would lose it", () => {
    expect(() => build("host", { env: { TEXT: "a\nb" } })).toThrow(/rkt's host flavour loses/);
    const { environment } = built(build("fly", { env: { TEXT: "a\nb" } })).apps[0]?.app ?? {};
    expect(environment).toContainEqual({ name: "TEXT", value: "a\nb" });
  });

  test("the host flavour filters by what is forbidden: its list of what is allowed kills new images", () => {
    expect(built(build("host")).apps[0]?.app.isolators).toEqual([
      { name: "os/linux/seccomp-remove-set", value: { set: ["@rkt/default-blacklist"] } },
    ]);
    expect(built(build("fly")).apps[0]?.app.isolators).toBeUndefined();
  });

  test("a volume that is mounted twice is two volumes of rkt's, each with its own right to write", () => {
    const mounts = [
      { volume: "data", path: "/in", readOnly: true },
      { volume: "data", path: "/out" },
    ];
    expect(built(build("fly", { mounts })).volumes).toEqual([
      { name: "mount-0", kind: "host", source: "/srv/data", readOnly: true },
      { name: "mount-1", kind: "host", source: "/srv/data", readOnly: false },
    ]);
  });

  test("a mount within another is refused on fly, which mounts in any order", () => {
    const mounts = [
      { volume: "data", path: "/data" },
      { volume: "more", path: "/data/more" },
    ];
    expect(() => build("fly", { mounts })).toThrow(/mounts in any order/);
    expect(built(build("host", { mounts })).apps[0]?.mounts).toHaveLength(2);
  });

  test("has no ports: rkt lets a second pod take a port of the first without a word", () => {
    for (const flavor of ["fly", "host"] as const)
      expect(built(build(flavor, {}, ["/bin/x"], [{ host: 80, container: 8080 }])).ports).toEqual(
        [],
      );
  });
});
