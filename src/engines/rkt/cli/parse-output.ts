import * as z from "zod";
import { StowageError } from "../../../errors/index.ts";

/** An image as rkt lists it. Its times are nanoseconds beyond what a number can hold, and are not read. */
export interface ListedImage {
  readonly id: string;
  /** `name:version`. */
  readonly name: string;
  /** Of its files, where rkt was asked. */
  readonly sizeBytes?: number;
}

const ImageId = z.string().regex(/^sha512-[a-f0-9]{64}$/);

const ImageList = z
  .array(z.looseObject({ id: ImageId, name: z.string(), size: z.number() }))
  .max(100_000)
  .nullable();

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Reads `image list --format=json`; none is `null` there. Text before the JSON is passed over. */
export function parseImageList(stdout: string): readonly ListedImage[] {
  const json = /^(?:null|\[).*/ms.exec(stdout)?.[0];
  const images = json === undefined ? undefined : ImageList.safeParse(parseJson(json)).data;
  if (images === undefined) throw unreadable("its images", "image list", stdout);
  return (images ?? []).map(({ id, name, size }) => ({ id, name, sizeBytes: size }));
}

/** Reads the id that `fetch --full` prints last. */
export function parseImageId(stdout: string): string {
  const id = ImageId.safeParse(lastLine(stdout)).data;
  if (id === undefined) throw unreadable("the id of an image", "fetch", stdout);
  return id;
}

/** Reads the UUID that `prepare --quiet` prints last. */
export function parseUuid(stdout: string): string {
  const uuid = lastLine(stdout);
  if (!isUuid(uuid)) throw unreadable("the UUID of a pod", "prepare", stdout);
  return uuid;
}

/** Whether a text is a UUID as rkt writes it. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Reads `rkt version`. */
export function parseVersion(stdout: string): {
  readonly version: string;
  readonly os: string;
  readonly architecture: string;
} {
  const version = /^rkt Version: (\d+\.\d+\S*)$/m.exec(stdout)?.[1];
  const [, os, architecture] = /^Go OS\/Arch: ([a-z0-9]+)\/([a-z0-9]+)$/m.exec(stdout) ?? [];
  if (version === undefined || os === undefined || architecture === undefined)
    throw unreadable("its version", "version", stdout);
  return { version, os, architecture };
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable(what: string, subcommand: string, stdout: string): StowageError {
  return new StowageError(
    `Cannot read what rkt says of ${what}: "rkt ${subcommand}" printed ${stdout.length} characters in an unexpected format; check that the engine's declared program is rkt 1.30`,
    { code: "internal", context: { subcommand, begins: stdout.slice(0, 80) } },
  );
}
