import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { StowageError } from "../../errors/index.ts";
import { formatPlatform, normalizePlatform, type Platform } from "../../image/index.ts";
import { canonicalText, Digest, type Json } from "../../model/index.ts";

/** Version of the lock file's form. */
export const FLEET_LOCK_VERSION = "stowage/lock/v1";

/** Name of the lock file; it lies beside the manifest or the project's cdktf.json. */
export const FLEET_LOCK_FILE = "fleet.lock.json";

/** What image references lead to, by canonical reference and platform; committed by the user. */
export const FleetLock = z.lazy(() =>
  z.strictObject({
    version: z.literal(FLEET_LOCK_VERSION),
    images: z.record(
      z.string(),
      z.record(
        z.string(),
        z.strictObject({
          /** Digest of the platform's manifest. */
          digest: Digest,
          configDigest: Digest.optional(),
        }),
      ),
    ),
  }),
);
/** See the schema of the same name. */
export type FleetLock = z.infer<typeof FleetLock>;

/** Key of a platform in the lock file: `linux/amd64`, the usual variant left out. */
export function platformKey(platform: Platform): string {
  const { os, architecture, variant } = normalizePlatform(platform);
  const usual = normalizePlatform({ os, architecture }).variant;
  return formatPlatform({
    os,
    architecture,
    ...(variant === undefined || variant === usual ? {} : { variant }),
  });
}

const ANEW = "write it again with stowage images lock";

/**
 * Reads a lock file; undefined when there is none.
 *
 * @throws StowageError `invalid_argument` naming file and place when it is not one
 */
export async function readFleetLock(path: string): Promise<FleetLock | undefined> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    const remedy = error instanceof SyntaxError ? `; ${ANEW}` : "";
    throw new StowageError(
      `Cannot read lock file "${path}": ${(error as Error).message}${remedy}`,
      { code: "invalid_argument", cause: error },
    );
  }
  const result = FleetLock.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue?.path.join(".") || "top level";
  throw new StowageError(
    `Cannot read lock file "${path}": ${place}: ${issue?.message ?? "not a lock file"}; ${ANEW}`,
    { code: "invalid_argument", cause: result.error },
  );
}

/** Writes a lock file in its one form, in one instant. @returns false when it was so already */
export async function writeFleetLock(path: string, lock: FleetLock): Promise<boolean> {
  const sorted: unknown = JSON.parse(canonicalText(lock as Json));
  const text = `${JSON.stringify(sorted, undefined, 2)}\n`;
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === text) return false;
  const temporary = join(dirname(path), `.fleet-lock-${randomBytes(6).toString("hex")}.tmp`);
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await rename(temporary, path);
    return true;
  } catch (error) {
    await rm(temporary, { force: true });
    throw StowageError.from(error, `Cannot write lock file "${path}"`);
  }
}
