import { writeFileSync } from "node:fs";
import { busyboxFiles } from "../../../scripts/lib/image-maker/busybox-image.ts";
import { type LayerFiles, layerTar } from "../../../scripts/lib/image-maker/layer-tar.ts";
import { thisPlatform } from "../../../scripts/lib/make-image.ts";

/** How an ACI is made. */
export interface MakeAciOptions {
  /** The file. */
  readonly out: string;
  /** @defaultValue example.com/bb */
  readonly name?: string;
  readonly version?: string;
  /** The `app` of its manifest. */
  readonly app?: object;
  readonly annotations?: readonly { readonly name: string; readonly value: string }[];
  /** The whole manifest, instead of all that. */
  readonly manifest?: object;
  /** Files beside busybox. */
  readonly files?: LayerFiles;
  /** Files of the busybox image that are left out. */
  readonly without?: readonly string[];
}

/** Makes an ACI with this machine's static busybox; the same bytes for the same options. */
export function makeBusyboxAci(options: MakeAciOptions): void {
  const { name = "example.com/bb", version, app, annotations } = options;
  const { os, architecture } = thisPlatform();
  const manifest = options.manifest ?? {
    acKind: "ImageManifest",
    acVersion: "0.8.11",
    name,
    labels: [
      ...(version === undefined ? [] : [{ name: "version", value: version }]),
      { name: "arch", value: architecture === "arm64" ? "aarch64" : architecture },
      { name: "os", value: os },
    ],
    ...(app === undefined ? {} : { app }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const files = [...busyboxFiles([]), ...(options.files ?? [])].filter(
    ([path]) => options.without?.includes(path) !== true,
  );
  const rootfs = files.map(([path, file]) => [`/rootfs${path}`, file] as const);
  writeFileSync(
    options.out,
    layerTar(new Map([["/manifest", { content: JSON.stringify(manifest) }], ...rootfs])),
  );
}
