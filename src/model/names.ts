import * as z from "zod";

const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** Name of a fleet, host, pod, container or volume: a DNS label (RFC 1123), at most 63 characters. */
export const Name = z
  .string()
  .max(63, "must have at most 63 characters")
  .regex(
    NAME,
    "must be lower-case letters, digits and dashes, and begin and end with a letter or digit",
  );
/** See the schema of the same name. */
export type Name = z.infer<typeof Name>;

/** Who owns a fleet: the `projectId` of cdktf.json, or `id` in the manifest. */
export const OwnerId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "must be 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
  );
/** See the schema of the same name. */
export type OwnerId = z.infer<typeof OwnerId>;

/** Bytes that the kernel takes of a path: its end is one more. */
const PATH_BYTES_MAX = 4095;
/** Bytes that file systems take of one name in a path. */
const PATH_PART_BYTES_MAX = 255;

/** An absolute path without `.`, `..` or empty segments, not even at its end: each file has one path. */
export const AbsolutePath = z
  .string()
  .regex(
    /^(?![\s\S]*(?:\/\/|\/\.{1,2}(?:\/|$)|[^/]\/$))\/[^\0]*$/,
    "must be an absolute path without ., .. or empty segments, and with no slash at its end",
  )
  .refine(
    (path) =>
      Buffer.byteLength(path) <= PATH_BYTES_MAX &&
      path.split("/").every((part) => Buffer.byteLength(part) <= PATH_PART_BYTES_MAX),
    `must have at most ${PATH_BYTES_MAX} bytes, and ${PATH_PART_BYTES_MAX} between two slashes`,
  );

/** What is left of a path for what comes before or after it. */
const ROOM_BYTES = 1023;

/** A path that gets longer: by what lies in it, or by where the root of its container is on the host. */
export const ProlongedPath = AbsolutePath.refine(
  (path) => Buffer.byteLength(path) <= PATH_BYTES_MAX - ROOM_BYTES,
  `must have at most ${PATH_BYTES_MAX - ROOM_BYTES} bytes, as it is a part of longer paths`,
);

/** Mode of a file or directory, in octal. */
export const Mode = z.string().regex(/^0?[0-7]{3,4}$/, 'must be an octal mode such as "0755"');

/** `sha256:` and 64 lower-case hexadecimal digits. */
export const Digest = z
  .string()
  .regex(/^sha256:[a-f0-9]{64}$/, "must be sha256: and 64 hexadecimal digits");
/** See the schema of the same name. */
export type Digest = z.infer<typeof Digest>;
