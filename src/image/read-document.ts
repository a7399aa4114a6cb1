import type * as z from "zod";
import { StowageError } from "../errors/index.ts";
import type { BlobSource } from "./blob-source.ts";
import type { ImageDescriptor } from "./descriptor.ts";
import { blobPath } from "./digest.ts";
import { verifyStream } from "./verify-stream.ts";

/** No index, manifest or config may be larger: 4 MiB, registries' own limit. */
export const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;

const PROBLEMS_SHOWN = 3;

/**
 * Reads a JSON blob, verified, through a schema.
 *
 * @throws StowageError `not_found` when the blob is missing.
 * @throws StowageError `invalid_argument` naming the file and the field, when it does not fit.
 */
export async function readDocument<T>(
  source: BlobSource & { readonly location: string },
  descriptor: ImageDescriptor,
  schema: z.ZodType<T>,
): Promise<T> {
  const place = { location: source.location, file: blobPath(descriptor.digest) };
  checkDocumentSize(place, descriptor.size);
  const parts: Uint8Array[] = [];
  try {
    const bytes = source.open(descriptor.digest);
    for await (const part of verifyStream(bytes, descriptor.digest, descriptor.size)) {
      parts.push(part);
    }
  } catch (error) {
    if (!StowageError.is(error, "invalid_argument")) throw error;
    throw documentError(place, error.message, error);
  }
  return parseDocument(place, Buffer.concat(parts), schema);
}

/** Where a document is: the source's path, and the file within. */
export interface DocumentPlace {
  readonly location: string;
  readonly file: string;
}

/** @throws StowageError `invalid_argument` when a document is larger than {@link DOCUMENT_BYTES_MAX}. */
export function checkDocumentSize(place: DocumentPlace, sizeBytes: number): void {
  if (sizeBytes <= DOCUMENT_BYTES_MAX) return;
  throw documentError(
    place,
    `it has ${sizeBytes} bytes, more than the ${DOCUMENT_BYTES_MAX} allowed; build the image again`,
  );
}

/** Reads JSON bytes through a schema; see {@link readDocument}. */
export function parseDocument<T>(place: DocumentPlace, bytes: Uint8Array, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    // the parser's own words would show what the file holds
    throw documentError(place, "it is not JSON; build the image again", error);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, PROBLEMS_SHOWN)
    .map((issue) => `${fieldPath(issue.path)} ${issue.message}`);
  throw documentError(place, `${problems.join(", ")}; build the image again`, result.error);
}

/** An error that begins with the file that cannot be used. */
export function documentError(place: DocumentPlace, state: string, cause?: unknown): StowageError {
  return new StowageError(
    `Cannot read image file "${place.file}" in "${place.location}": ${state}`,
    {
      code: "invalid_argument",
      context: { location: place.location, file: place.file },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

function fieldPath(path: readonly PropertyKey[]): string {
  const text = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("");
  return text === "" ? "(top level):" : `${text.replace(/^\./, "")}:`;
}
