export { archiveLayout } from "./image-maker/archive-layout.ts";
export {
  hasZstd,
  type MadeImage,
  type MakeImageOptions,
  makeImage,
  thisPlatform,
} from "./image-maker/build-image.ts";
export { busyboxImage } from "./image-maker/busybox-image.ts";
export type { ImageFile } from "./image-maker/layer-tar.ts";
