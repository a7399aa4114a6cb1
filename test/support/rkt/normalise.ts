const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const IMAGE = /sha512-[0-9a-f]{8,64}/g;

/** What varies from run to run, and what stands for it. UUIDs and image ids keep which is which. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/deps-<image-\d+:\d+>/g, "<tree>"],
  [/(_at|_time)("?:\s*)\d{19}\b/g, "$1$2<nanoseconds>"],
  [/(_at)("?:\s*)\d{10}\b/g, "$1$2<seconds>"],
  [/("size":\s*)\d+/g, "$1<size>"],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})? \+0000 UTC/g, "<time>"],
  [/\b(now|\d+ (second|minute)s? ago)\b/g, "<ago>"],
  [/\t\d{5,}\t/g, "\t<size>\t"],
  [/\b\d+(\.\d)?[KM]iB\b/g, "<size>"],
  [/^pid=\d+$/gm, "pid=<pid>"],
  [/^\[ *\d+\.\d{6}\] ([a-z0-9]+)\[\d+\]:/gm, "[<clock>] $1[<pid>]:"],
  [/(INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID)=\S+/g, "$1=<number>"],
  [/ [A-Z][a-z]{2} [ \d]\d \d\d:\d\d /g, " <time> "],
  // what a directory takes is its file system's
  [/^total \d+$/gm, "total <blocks>"],
  [/^(d[rwxst-]{9} .*?) +\d+ <time> /gm, "$1 <size> <time> "],
  // the width of a column follows what varies in it
  [/\t+/g, "\t"],
];

/** Replaces what varies in the words, stdout and stderr of a run, all three by the same names. */
export function normalise(texts: readonly string[]): readonly string[] {
  const uuids = new Map<string, string>();
  const images = new Map<string, string>();
  return texts.map((text) =>
    VARYING.reduce(
      (rest, [pattern, standIn]) => rest.replace(pattern, standIn),
      text
        .replace(UUID, (uuid) => numbered(uuids, uuid.slice(0, 8), "uuid"))
        .replace(/^[0-9a-f]{8}(?=\t)/gm, (uuid) => numbered(uuids, uuid, "uuid"))
        .replace(
          IMAGE,
          (id) => `<${numbered(images, id.slice(7, 15), "image").slice(1, -1)}:${id.length}>`,
        ),
    ),
  );
}

function numbered(known: Map<string, string>, key: string, kind: string): string {
  const name = known.get(key) ?? `<${kind}-${known.size + 1}>`;
  known.set(key, name);
  return name;
}
