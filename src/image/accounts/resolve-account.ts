import { StowageError } from "../../errors/index.ts";
import { type GroupEntry, type PasswdEntry, parseId } from "./account-files.ts";

/** Who a process runs as, in the only form that a runtime does not ignore. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Sorted, each once. */
  readonly additionalGids: readonly number[];
}

/** What an image says about accounts. */
export interface Accounts {
  readonly passwd: readonly PasswdEntry[];
  readonly groups: readonly GroupEntry[];
}

/**
 * Resolves `user`, `uid`, `user:group` or `uid:gid`, the empty text being root, by an image's own files.
 *
 * A number needs no entry; without one its group is 0. Without a group in the text the user's groups in
 * /etc/group are added, as Docker does.
 *
 * @param additionalGroups names or ids, added in every case
 * @throws StowageError `invalid_argument` when a name is not in the image
 */
export function resolveAccount(
  accounts: Accounts,
  user: string,
  additionalGroups: readonly string[] = [],
): ResolvedUser {
  const colon = user.indexOf(":");
  const userPart = (colon < 0 ? user : user.slice(0, colon)) || "0";
  const groupPart = colon < 0 ? "" : user.slice(colon + 1);
  const { uid, gid, name } = findUser(accounts, userPart, user);
  const own =
    groupPart === "" && name !== undefined
      ? accounts.groups.filter(({ members }) => members.includes(name)).map((group) => group.gid)
      : [];
  const added = additionalGroups.map((group) => findGroup(accounts, group, group));
  return {
    uid,
    gid: groupPart === "" ? gid : findGroup(accounts, groupPart, user),
    additionalGids: [...new Set([...own, ...added])].toSorted((a, b) => a - b),
  };
}

function findUser(
  { passwd }: Accounts,
  part: string,
  whole: string,
): { uid: number; gid: number; name?: string } {
  const id = parseId(part);
  const entry = passwd.find(({ name, uid }) => name === part || uid === id);
  if (entry !== undefined) return entry;
  if (id !== undefined) return { uid: id, gid: 0 };
  throw unknown("user", whole, part, "/etc/passwd");
}

function findGroup({ groups }: Accounts, part: string, whole: string): number {
  const id = parseId(part);
  const gid = groups.find(({ name }) => name === part)?.gid ?? id;
  if (gid !== undefined) return gid;
  throw unknown(whole === part ? "group" : "user", whole, part, "/etc/group");
}

function unknown(noun: string, whole: string, part: string, file: string): StowageError {
  return new StowageError(
    `Cannot resolve ${noun} "${whole}": "${part}" is not in the image's ${file}; name one that is, or use a number up to 2147483647`,
    { code: "invalid_argument", context: { [noun]: whole } },
  );
}
