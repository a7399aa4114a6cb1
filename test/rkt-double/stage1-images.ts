import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandLine, failAs } from "./arguments.ts";
import { jsonFiles } from "./configuration.ts";
import type { ImageRecord, ImageStore } from "./image-store.ts";
import { programOf } from "./programs.ts";

const VERSION = "1.30.0";
const HOST = "coreos.com/rkt/stage1-host";
const FLAVOURS = [HOST, "coreos.com/rkt/stage1-fly"];

/** Where rkt would look for the files that `--stage1-from-dir` names. */
const IMAGES_DIR = "/usr/lib/rkt/stage1-images";

/**
 * The stage1 image that a pod gets: of its flags, else of the configuration, else the host flavour. It is
 * put into the store when it is not there, as rkt does at its first `prepare`. Ends when there is none.
 */
export function stage1Image(line: CommandLine, store: ImageStore): ImageRecord {
  const named = fromDir(line) ?? line.flags.get("stage1-name") ?? configured(line) ?? HOST;
  const [name = "", version = VERSION] = named.split(":");
  if (!FLAVOURS.includes(name) || version !== VERSION) failAs(line.command, "discovery failed");
  return store.byName(name, VERSION) ?? store.import(makeStage1(name));
}

function fromDir({ command, flags }: CommandLine): string | undefined {
  const file = flags.get("stage1-from-dir");
  if (file === undefined) return undefined;
  const name = FLAVOURS.find((one) => one.endsWith(`/${file.replace(/\.aci$/, "")}`));
  return name ?? failAs(command, `open ${IMAGES_DIR}/${file}: no such file or directory`);
}

/** The name in the last file of `stage1.d`; the local configuration wins. */
function configured({ flags }: CommandLine): string | undefined {
  const folders = [
    flags.get("local-config") ?? "/etc/rkt",
    flags.get("system-config") ?? "/usr/lib/rkt",
  ];
  for (const folder of folders.map((one) => join(one, "stage1.d"))) {
    const name = jsonFiles(folder).at(-1);
    if (name === undefined) continue;
    const config = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
      readonly name: string;
      readonly version: string;
    };
    return `${config.name}:${config.version}`;
  }
  return undefined;
}

/** An ACI that says which flavour it is; the double itself does what a real one has programs for. */
function makeStage1(name: string): Buffer {
  const folder = mkdtempSync("/tmp/rkt-double-");
  try {
    const manifest = {
      acKind: "ImageManifest",
      acVersion: "0.8.11",
      name,
      labels: [
        { name: "version", value: VERSION },
        { name: "arch", value: "amd64" },
        { name: "os", value: "linux" },
      ],
      annotations: [{ name: "coreos.com/rkt/stage1/interface-version", value: "6" }],
    };
    writeFileSync(join(folder, "manifest"), JSON.stringify(manifest));
    mkdirSync(join(folder, "rootfs"));
    writeFileSync(join(folder, "rootfs/flavor"), name.slice(name.lastIndexOf("-") + 1));
    const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    const { stdout } = spawnSync(programOf("tar"), [
      ...same,
      "-cf",
      "-",
      "-C",
      folder,
      "manifest",
      "rootfs",
    ]);
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
