import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CommandLine } from "./arguments.ts";
import type { ImageRecord, ImageStore } from "./image-store.ts";
import { refuse } from "./output.ts";

/** An image, or what rkt says of its absence. */
export type FoundImage = ImageRecord | { readonly problem: string };

const NOT_FETCHED =
  "either image was not found in the store or store was disabled and fetching from remote yielded nothing or it was disabled";

/** An image that `fetch`, `prepare` and `run` are given: a hash, a file, or a name. */
export function findImage(image: string, line: CommandLine, store: ImageStore): FoundImage {
  const insecure = (line.flags.get("insecure-options") ?? "none").split(",");
  const may = (option: string) =>
    [option, "all", "all-fetch"].some((one) => insecure.includes(one));
  if (image.startsWith("docker://")) {
    const found = dockerImage(image.slice("docker://".length), may("image"));
    if (found !== undefined) return found;
    if (line.flags.get("pull-policy") !== "never") return refuse("an image of a registry");
    return { problem: `unable to fetch docker image from URL "${image}": ${NOT_FETCHED}` };
  }
  if (image.startsWith("sha512-")) return byHash(image, store);
  const isFile = image.startsWith("/") || image.startsWith(".");
  if (isFile) return fileImage(resolve(image), may("image"), store);
  if (/^[a-z]+:\/\//.test(image)) return refuse(`image "${image}"`);
  return byName(image, line, store);
}

function byHash(prefix: string, store: ImageStore): FoundImage {
  const [found, ...others] = store.byId(prefix);
  if (others.length > 0) return refuse(`image id "${prefix}", which several images have`);
  return found ?? { problem: "discovery failed" };
}

function byName(image: string, line: CommandLine, store: ImageStore): FoundImage {
  const [name = "", version] = image.split(":");
  const policy = line.flags.get("pull-policy") ?? (line.command === "fetch" ? "update" : "new");
  const found = policy === "update" ? undefined : store.byName(name, version);
  if (found !== undefined) return found;
  if (policy !== "never") return { problem: "discovery failed" };
  return { problem: `unable to fetch image from image name "${image}": ${NOT_FETCHED}` };
}

function fileImage(path: string, isTrusted: boolean, store: ImageStore): FoundImage {
  const absent = (file: string) => ({ problem: `open ${file}: no such file or directory` });
  if (!existsSync(path)) return absent(path);
  if (!isTrusted) return existsSync(`${path}.asc`) ? refuse("a signature") : absent(`${path}.asc`);
  const bytes = readFileSync(path);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const isTar = bytes.toString("latin1", 257, 262) === "ustar";
  if (!isGzip && !isTar) return { problem: "no type returned from DetectFileType?" };
  return store.import(bytes);
}

/** Registries are not for the double; what rkt says before it asks one is. */
function dockerImage(reference: string, isTrusted: boolean): FoundImage | undefined {
  if (!isTrusted) {
    return {
      problem:
        "signature verification for docker images is not supported (try --insecure-options=image)",
    };
  }
  const bad = `docker distribution creation error: bad docker URL "${reference}": invalid reference format`;
  if (/^[^/]+\/[^:@]*[A-Z]/.test(reference)) {
    return { problem: `${bad}: repository name must be lowercase` };
  }
  const isWhole = /^[^/]+\/[a-z0-9._/-]+(:[\w.-]+|@sha256:[0-9a-f]{32,})?$/.test(reference);
  return isWhole ? undefined : { problem: bad };
}
