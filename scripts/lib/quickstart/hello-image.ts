import { join } from "node:path";
import { findOnPath } from "../../../src/internal/index.ts";
import { busyboxImage, type ImageFile, type MadeImage, makeImage } from "../make-image.ts";
import { EXAMPLE_FILES } from "./quickstart-folder.ts";

/** What the page of the example begins with. */
export const PAGE_FIRST_LINE = "<h1>Hello from a pod that Stowage placed.</h1>";

/**
 * Makes the example's image as an OCI layout in its folder: the same bytes on every run.
 *
 * Without a busybox on this machine it holds the page alone, which is enough for a simulated host.
 */
export function makeHelloImage(): MadeImage {
  const out = join(EXAMPLE_FILES, "images/hello");
  const reference = "localhost/hello:1";
  const files = new Map<string, ImageFile>([
    ["/www/index.html", { content: `${PAGE_FIRST_LINE}\n` }],
  ]);
  if (findOnPath("busybox") === undefined) return makeImage({ out, reference, files });
  return busyboxImage({ out, reference, files, programs: [] });
}
