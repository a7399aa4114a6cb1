import type { Construct } from "constructs";
import type { FileSpec } from "../model/index.ts";
import { readProjectFile } from "./cdk.ts";
import { compact } from "./compact.ts";
import { checkOptions, type OptionNames } from "./options.ts";
import { Secret } from "./secret.ts";

/** Whose a file is and who may read it. */
export interface FileAttributes {
  /**
   * Owner.
   *
   * @defaultValue - the container's `user` where that is a number, else root
   */
  readonly uid?: number;
  /**
   * Group.
   *
   * @defaultValue - that of the container's `user` where that is a number, else root's
   */
  readonly gid?: number;
  /**
   * Mode in octal.
   *
   * @defaultValue 0444, and 0400 of a secret
   */
  readonly mode?: string;
}

/** A file of a container: what is in it is one of `content`, `file` and `secret`. */
export interface FileProps extends FileAttributes {
  /** What is in it. */
  readonly content?: string | Uint8Array;
  /** A file beside the app, which is read now and becomes a part of the manifest; relative to the project. */
  readonly file?: string;
  /** A secret: the file is kept in the host's memory. */
  readonly secret?: Secret;
}

const FILE: OptionNames<FileProps> = {
  content: true,
  file: true,
  secret: true,
  uid: true,
  gid: true,
  mode: true,
};

/** A file: its content as text, a secret, or either with an owner and a mode. */
export type FileLike = string | Secret | FileProps;

/** A file as it was declared, its content read. */
export interface DraftFile {
  readonly spec: FileSpec;
  readonly secret?: Secret;
}

/** Reads what a file is to hold. @throws Error when a file beside the app cannot be read */
export function draftFile(construct: Construct, path: string, declared: FileLike): DraftFile {
  if (typeof declared === "string") return { spec: { content: declared } };
  if (declared instanceof Secret) return { spec: {}, secret: declared };
  checkOptions(construct, declared, FILE, `files[${JSON.stringify(path)}]`);
  const { content, file, secret, uid, gid, mode } = declared;
  if (content !== undefined && file !== undefined) {
    throw new Error(
      `Cannot make file "${path}" of "${construct.node.path}": it has both content and file; give one of them`,
    );
  }
  const held = file === undefined ? content : readBeside(construct, path, file);
  const spec = compact<FileSpec>({ ...contentSpec(held), uid, gid, mode });
  return secret === undefined ? { spec } : { spec, secret };
}

/** A file as the manifest declares it. */
export function fileSpec({ spec, secret }: DraftFile, construct: Construct): FileSpec {
  return secret === undefined ? spec : { ...spec, ...secret.toReference(construct) };
}

function readBeside(construct: Construct, path: string, file: string): Uint8Array {
  try {
    return readProjectFile(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Cannot make file "${path}" of "${construct.node.path}": ${file} cannot be read (${reason}); correct its path, which is relative to the project`,
      { cause: error },
    );
  }
}

/** Text as text, so that the manifest can be read; anything else as bytes. */
function contentSpec(
  content: string | Uint8Array | undefined,
): Pick<FileSpec, "content" | "base64"> {
  if (content === undefined) return {};
  if (typeof content === "string") return { content };
  try {
    return { content: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content) };
  } catch {
    return { base64: Buffer.from(content).toString("base64") };
  }
}
