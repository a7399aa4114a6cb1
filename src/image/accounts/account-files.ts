/** A line of /etc/passwd, as far as it matters. */
export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** A line of /etc/group. */
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Largest id that a process can have. */
const MAX_ID = 2 ** 31 - 1;

/** Reads /etc/passwd; lines that are not entries are left out. */
export function parsePasswd(text: string): readonly PasswdEntry[] {
  return entries(text).flatMap(([name = "", , uid, gid]) => {
    const [user, group] = [parseId(uid), parseId(gid)];
    return name === "" || user === undefined || group === undefined
      ? []
      : [{ name, uid: user, gid: group }];
  });
}

/** Reads /etc/group; lines that are not entries are left out. */
export function parseGroup(text: string): readonly GroupEntry[] {
  return entries(text).flatMap(([name = "", , id, members = ""]) => {
    const gid = parseId(id);
    return name === "" || gid === undefined
      ? []
      : [{ name, gid, members: members.split(",").filter((member) => member !== "") }];
  });
}

/** A user or group id from 0 to 2147483647; undefined when the text is none. */
export function parseId(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

function entries(text: string): string[][] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}
