export { archiveLayout } from "./image-maker/archive-layout.ts";
export {
  hasZstd,
  type LayerCompression,
  type MadeImage,
  type MadeImageConfig,
  type MakeImageOptions,
  type MediaTypeFamily,
  makeImage,
  thisPlatform,
} from "./image-maker/build-image.ts";
export { type BusyboxImageOptions, busyboxImage } from "./image-maker/busybox-image.ts";
export { hostProgram } from "./image-maker/host-program.ts";
export type { ImageFile, LayerFiles } from "./image-maker/layer-tar.ts";
