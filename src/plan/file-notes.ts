import { type ContainerSpec, type DeclaredFile, filesOf, type PodSpec } from "../model/index.ts";

const OTHERS_READ = 0o004;
const GROUP_READ = 0o040;
const ROOT = /^(?:|0|root)$/;
const NUMBER = /^\d+$/;

/**
 * Files that the process of their container cannot read: nobody gave them an owner, and it does not run as root. A name
 * is looked up in the image, which nobody has opened when files are written.
 *
 * @param imageUsers whom images have their processes run as, by container, where that is known
 */
export function unreadableNotes(
  spec: PodSpec,
  imageUsers: Readonly<Record<string, string>> = {},
): readonly string[] {
  return filesOf(spec).flatMap((file) => {
    const container = spec.containers[file.container];
    const user = container?.user ?? imageUsers[file.container] ?? "";
    if (container === undefined || !isHidden(file, user)) return [];
    return [wordsFor(file, user, container)];
  });
}

function isHidden({ mode, uid, gid }: DeclaredFile, user: string): boolean {
  const [owner = ""] = user.split(":");
  if (ROOT.test(owner) || uid !== undefined || (mode & OTHERS_READ) !== 0) return false;
  // whether that group is its user's is not known
  return !(gid !== undefined && (mode & GROUP_READ) !== 0);
}

function wordsFor(
  { attribute, mode, container }: DeclaredFile,
  user: string,
  { user: declared }: ContainerSpec,
): string {
  const [owner = ""] = user.split(":");
  const by = declared === undefined ? "as its image says" : "as it is declared";
  const uid = NUMBER.test(owner) ? `uid: ${owner}` : `uid to the number of ${owner}`;
  const octal = mode.toString(8).padStart(4, "0");
  return `${attribute} is owned by root, with mode ${octal}, and ${container} runs as ${user}, ${by}: it cannot read the file; set ${uid} there, or mode: "0444"`;
}
