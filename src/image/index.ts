export {
  type GroupEntry,
  type PasswdEntry,
  parseGroup,
  parseId,
  parsePasswd,
} from "./accounts/account-files.ts";
export { type Accounts, type ResolvedUser, resolveAccount } from "./accounts/resolve-account.ts";
export type { BlobSource, ImageSource } from "./blob-source.ts";
export type { ImageDescriptor } from "./descriptor.ts";
export { openImageSource } from "./open-image-source.ts";
export { formatPlatform, normalizePlatform, type Platform } from "./platform.ts";
export { type ResolvedImage, resolveImage } from "./resolve-image.ts";
export { StoredConfig, storedDefaults } from "./stored-config.ts";
export { readStoredImage } from "./stored-image.ts";
export { verifyStream } from "./verify-stream.ts";
