import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { mistakesOf, synthFleet } from "../../test/support/synth-fleet.ts";
import { type ContainerProps, type Fleet, Host, Pod, Secret, Volume } from "../index.ts";

const declare =
  (files: ContainerProps["files"], more: Partial<ContainerProps> = {}) =>
  (fleet: Fleet): void => {
    const host = new Host(fleet, "a", { address: "local" });
    new Pod(host, "web", { containers: { web: { image: "web:1", ...more, files: files ?? {} } } });
  };

const filesOf = (files: ContainerProps["files"]) => {
  const { manifest, folder } = synthFleet(declare(files));
  return { folder, files: manifest.hosts["a"]?.pods?.["web"]?.containers["web"]?.files ?? {} };
};

describe("a file beside the app", () => {
  test("is read when it is declared: text as text, anything else as bytes", () => {
    const dir = mkdtempSync(join(tmpdir(), "stw-files-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(join(dir, "app.conf"), "größe=1\n");
    writeFileSync(join(dir, "key"), Buffer.from([0xff, 0x00]));
    const { files } = filesOf({
      "/etc/app.conf": { file: relative(process.cwd(), join(dir, "app.conf")), mode: "0440" },
      "/etc/key": { file: join(dir, "key") },
      "/etc/given": "as it is",
    });
    expect(files).toEqual({
      "/etc/app.conf": { content: "größe=1\n", mode: "0440" },
      "/etc/key": { base64: "/wA=" },
      "/etc/given": { content: "as it is" },
    });
  });

  test("that cannot be read is named with its place", () => {
    expect(() => synthFleet(declare({ "/etc/a": { file: "nowhere/a" } }))).toThrow(
      /Cannot make file "\/etc\/a" of "shop\/a\/web\/web": nowhere\/a cannot be read/,
    );
  });
});

describe("a secret", () => {
  test("is in the manifest only by where it comes from, a path as the project means it", () => {
    const { files, folder } = filesOf({
      "/run/a": Secret.fromEnv("A"),
      "/run/b": { secret: Secret.fromFile("secrets/b"), uid: 7 },
      "/run/c": Secret.fromCommand(["bin/give", "c"]),
      "/run/d": Secret.fromCommand(["pass", "d"]),
    });
    expect(files).toEqual({
      "/run/a": { secret: { fromEnv: "A" } },
      "/run/b": { secret: { fromFile: expect.any(String) }, uid: 7 },
      "/run/c": { secret: { fromCommand: [expect.any(String), "c"] } },
      "/run/d": { secret: { fromCommand: ["pass", "d"] } },
    });
    const { fromFile = "" } = files["/run/b"]?.secret ?? {};
    const [program = ""] = files["/run/c"]?.secret?.fromCommand ?? [];
    expect(resolve(folder, fromFile)).toBe(resolve("secrets/b"));
    expect(resolve(folder, program)).toBe(resolve("bin/give"));
  });
});

describe("mistakes of files", () => {
  test("are each named at their path", () => {
    const mistakes = mistakesOf((fleet) => {
      declare(
        {
          "/etc/none": {},
          "/etc/two": { content: "a", secret: Secret.fromEnv("A") },
          "/proc/x": "a",
          "/data/x": "a",
          "/etc/dir/": "a",
          "/": "a",
          "/srv": "a",
          "/srv/inside": "a",
        },
        { mounts: [{ volume: Volume.tmpfs(), path: "/data" }] },
      )(fleet);
    });
    const said = mistakes.map((each) => each.replace("shop/a/web/web: ", "").replace(/; .*/, ""));
    expect(said.sort()).toEqual([
      'files["/"]: a file cannot take the place of a directory',
      'files["/data/x"]: it is below the mount at /data: it would have to be created in volume data',
      'files["/etc/dir/"]: its name must be an absolute path without ., .. or empty segments, and with no slash at its end',
      'files["/etc/none"]: it has no content',
      'files["/etc/two"]: its content is given more than once',
      'files["/proc/x"]: /proc belongs to the kernel',
      'files["/srv"]: /srv/inside is below it, but it is a file',
    ]);
  });
});
