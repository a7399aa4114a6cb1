export type { BlobSource, ImageSource } from "./blob-source.ts";
export type { ImageDescriptor } from "./descriptor.ts";
export type { ImageConfig } from "./image-config.ts";
export { LAYER_TYPES } from "./media-types.ts";
export {
  type ImageSourcePath,
  type OpenImageSourceOptions,
  openImageSource,
} from "./open-image-source.ts";
export { formatPlatform, normalizePlatform, type Platform, platformRank } from "./platform.ts";
export { type ResolvedImage, type ResolveImageOptions, resolveImage } from "./resolve-image.ts";
export { verifyStream } from "./verify-stream.ts";
