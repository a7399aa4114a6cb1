import { spawnSync } from "node:child_process";
import { findOnPath } from "../../../src/internal/index.ts";
import { type MadeImage, type MakeImageOptions, makeImage } from "./build-image.ts";
import { hostProgram, isStaticProgram } from "./host-program.ts";
import type { ImageFile, LayerFiles } from "./layer-tar.ts";

/** What {@link busyboxImage} makes. */
export interface BusyboxImageOptions extends Omit<MakeImageOptions, "reference"> {
  /** @defaultValue localhost/busybox:latest */
  readonly reference?: string;
  /**
   * Programs of this machine put in with their libraries, where busybox has no applet of the name.
   *
   * @defaultValue flock, which Debian's busybox lacks
   */
  readonly programs?: readonly string[];
}

/**
 * Makes a small image of this machine's static busybox, with a link for each of its applets.
 *
 * Users: root; `app` (1234, group `app` 4321, also in group `extra` 777). Mount points, `/tmp` and
 * `/home/app` are there. `layers` and `files` come on top.
 */
export function busyboxImage(options: BusyboxImageOptions): MadeImage {
  const { programs = ["flock"], reference = "localhost/busybox:latest", ...rest } = options;
  return makeImage({
    ...rest,
    reference,
    layers: [busyboxFiles(programs), ...(options.layers ?? [])],
    config: { cmd: ["/bin/sh"], ...options.config },
  });
}

/** The files of {@link busyboxImage}, with programs of this machine beside them. */
export function busyboxFiles(programs: readonly string[]): LayerFiles {
  const busybox = findOnPath("busybox");
  if (busybox === undefined || !isStaticProgram(busybox)) {
    const state = busybox === undefined ? "it is not on PATH" : `${busybox} is not static`;
    throw new Error(`Cannot use busybox: ${state}; install the package busybox-static`);
  }
  const { stdout } = spawnSync(busybox, ["--list"], { encoding: "utf8" });
  const applets = stdout.split("\n").filter((name) => name !== "" && name !== "busybox");
  const added = programs.filter((name) => !applets.includes(name)).map(hostProgram);
  return new Map<string, ImageFile>([
    ...baseFiles(),
    ...applets.map((name): [string, ImageFile] => [`/bin/${name}`, { linkTo: "busybox" }]),
    ["/bin/busybox", { fromHost: busybox, mode: 0o755 }],
    ...added.flatMap((files) => [...files]),
  ]);
}

function baseFiles(): readonly [string, ImageFile][] {
  const passwd = [
    "root:x:0:0:root:/root:/bin/sh",
    "app:x:1234:4321:app:/home/app:/bin/sh",
    "nobody:x:65534:65534:nobody:/:/bin/false",
  ];
  const group = ["root:x:0:", "app:x:4321:", "extra:x:777:app", "nogroup:x:65534:"];
  return [
    ["/etc/passwd", { content: `${passwd.join("\n")}\n` }],
    ["/etc/group", { content: `${group.join("\n")}\n` }],
    ["/home/app", { directory: true, uid: 1234, gid: 4321 }],
    ["/root", { directory: true, mode: 0o700 }],
    ["/tmp", { directory: true, mode: 0o1777 }],
    ...["/dev", "/proc", "/run", "/sys", "/var"].map((path): [string, ImageFile] => [
      path,
      { directory: true },
    ]),
  ];
}
